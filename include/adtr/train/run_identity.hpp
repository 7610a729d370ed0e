/// Everything that determines a training run's bits, and a message that names what has changed since a checkpoint was
/// written.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/view.hpp"
#include "adtr/models/description.hpp"
#include "adtr/train/training_fields.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Everything that determines a run's bits, by name. A run cannot resume from a checkpoint that differs in an entry.
using RunIdentity = std::map<std::string, std::string>;

namespace detail {

/// A hash of words, sensitive to their values and their order.
class Fingerprint {
 public:
  void add(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 0x100000001B3;
    hash_ ^= hash_ >> 29;
  }
  /// Adds eight bytes at a time, then the rest one by one.
  void add(std::span<const std::uint8_t> bytes) {
    std::uint64_t word = 0;
    for (; bytes.size() >= sizeof(word); bytes = bytes.subspan(sizeof(word))) {
      std::memcpy(&word, bytes.data(), sizeof(word));
      add(word);
    }
    for (const std::uint8_t byte : bytes) add(std::uint64_t{byte});
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace detail

/// A hash of all bits of the features, so it changes with the images, their order and the backbone.
template <class T>
[[nodiscard]] std::uint64_t fingerprint(MatrixView<const T> rows) {
  detail::Fingerprint print;
  for (Index r = 0; r < rows.rows; ++r)
    for (Index c = 0; c < rows.cols; ++c) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, rows.row(r) + c, sizeof(T));
      print.add(bits);
    }
  return print.value();
}

/// The fields of the options that influence the run.
[[nodiscard]] inline RunIdentity identity_of(const TrainingOptions& o) {
  RunIdentity identity;
  for (const detail::TrainingField& field : detail::training_fields())
    if (field.influences == nullptr || field.influences(o)) identity[std::string(field.key)] = field.text(o);
  return identity;
}

namespace detail {

/// The message for a changed key of a RunIdentity that is no field of TrainingOptions; {was} and {is} stand for the two
/// values.
struct Difference {
  std::string_view key, sentence;
};

/// The order of comparison, after the fields of TrainingOptions: first what the user can see and change, then its
/// consequences (other images have other features).
inline constexpr std::array<Difference, 14> differences{
    {{"confetti", "was made {was} confetti (--anomalies confetti), this run trains {is} it"},
     {"mirror", "was made {was} mirror images (--mirror), this run trains {is} them"},
     {"architecture", "is for the network {was}, this run trains {is}"},
     {"image-size", "was made with --image-size {was}, this run has {is}"},
     {"grid", "was made with --grid {was}, this run has {is}"},
     {"good-images",
      "the training images have changed since the checkpoint was written: there were {was} good images, now there are "
      "{is}"},
     {"held-out-images", "was made with {was} good images held out (--hold-out), this run holds {is} out"},
     {"hold-out-seed", "was made with held-out images that seed {was} chose, this run chooses them with seed {is}"},
     {"images", "the training images have changed since the checkpoint was written"},
     {"defects", "the images with defects (--defects) have changed since the checkpoint was written"},
     {"masks", "the masks of the images with defects have changed since the checkpoint was written"},
     {"start", "the model that training continues from (--start) has changed since the checkpoint was written"},
     {"backbone", "the backbone's weights have changed since the checkpoint was written"},
     {"features",
      "the features of the images have changed since the checkpoint was written: another machine, backend or version "
      "of adtr computed them"}}};

inline std::string filled_in(std::string text, std::string_view place, const std::string& value) {
  if (const auto at = text.find(place); at != std::string::npos) text.replace(at, place.size(), value);
  return text;
}

/// The first difference between two runs, as a sentence; empty if there is none. With `all` unset, compares only the
/// entries of `now`, for example those known before the images are read.
[[nodiscard]] inline std::string difference(const RunIdentity& then, const RunIdentity& now, bool all = true) {
  const auto value = [](const RunIdentity& identity, const std::string& key) {
    const auto it = identity.find(key);
    return it == identity.end() ? std::string("none") : it->second;
  };
  const auto changed = [&](const std::string& key) {
    return (now.contains(key) || (all && then.contains(key))) && value(then, key) != value(now, key);
  };
  const auto sentence = [&](const std::string& text, const std::string& key) {
    return filled_in(filled_in(text, "{was}", value(then, key)), "{is}", value(now, key));
  };
  for (const TrainingField& field : training_fields())
    if (const std::string key(field.key); changed(key)) return sentence(field.difference_text(), key);
  for (const Difference& d : differences)
    if (const std::string key(d.key); changed(key)) return sentence(std::string(d.sentence), key);
  RunIdentity both = then;
  both.insert(now.begin(), now.end());
  for (const auto& [key, ignored] : both)
    if (changed(key))
      return "is of another training run: its " + key + " is " + value(then, key) + ", this run's is " +
             value(now, key);
  return {};
}

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr
