/// What a training run begins with: weights of a backbone or a model, and anomalies that fit the loss.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "adtr/train/good_images.hpp"
#include "adtr/train/training_images.hpp"
#include "adtr/train/training_request.hpp"
#include "adtr/weights/safetensors.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// The file that a run begins with, of a backbone's weights or a model, and what it says.
struct TrainingOrigin {
  SafetensorsFile file;
  ModelDescription description;

  [[nodiscard]] static TrainingOrigin of(const TrainingRequest& r) {
    if (r.start.empty()) {
      TrainingOrigin origin{SafetensorsFile::open(r.weights), {}};
      const NamedArchitecture named = describe_weights(origin.file, r.architecture);
      ModelDescription& d = origin.description;
      d.architecture = named.architecture;
      d.numerics = named.numerics;
      d.image_size = r.image_size;
      d.grid = r.grid;
      d.scoring = r.options.recipe == Recipe::fast ? Scoring::taps : Scoring::norm;
      return origin;
    }
    auto [file, description] = open_model(r.start);
    TrainingOrigin origin{std::move(file), std::move(description)};
    origin.description.threshold.reset();
    std::map<std::string, std::string> notes;
    for (const auto& [key, value] : origin.description.notes) notes["start." + key] = value;
    origin.description.notes = std::move(notes);
    return origin;
  }
};

/// What the notes of a model that training goes on from say under `key`, a whole number; nothing where they do not.
inline std::optional<std::uint64_t> number_in_notes(const TrainingOrigin& origin, const std::string& key) {
  const auto& notes = origin.description.notes;
  const auto it = notes.find("start." + key);
  if (it == notes.end()) return std::nullopt;
  const std::string& text = it->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw file_error(origin.file.path(), "its note '" + key + "' is '" + text + "', expected a whole number",
                     ErrorCode::bad_weights);
  return value;
}

/// Which images a run holds out. One that goes on from a model, and is not told, keeps those apart that the model was
/// not trained on: it has to be given the same good images. Throws Error(option) where it was not, as far as numbers
/// tell.
inline HoldOut hold_out_of(const TrainingRequest& r, const TrainingOrigin& origin) {
  const std::size_t good = r.good.size();
  if (r.hold_out) return {HoldOutRule::asked, held_out_of(good, *r.hold_out), r.options.seed};
  if (r.start.empty()) return {HoldOutRule::automatic, held_out_unasked(good), r.options.seed};
  const auto held = static_cast<std::size_t>(number_in_notes(origin, "held_out_images").value_or(0));
  if (held == 0) return {HoldOutRule::continued, 0, r.options.seed};
  const auto before = number_in_notes(origin, "good_images");  // models did not always say it
  if (held >= good || (before && *before != good))
    throw Error("TrainingRequest::hold_out: " + r.start + " was trained on " +
                    (before ? "some of " + std::to_string(*before) : "other") + " good images and " +
                    std::to_string(held) + " were held out, and now there are " + std::to_string(good) +
                    ", so which of them it was not trained on is not known; expected the same good images or a share "
                    "(--hold-out)",
                ErrorCode::option);
  const auto seed = number_in_notes(origin, "hold_out_seed");
  return {HoldOutRule::continued, held, seed ? *seed : number_in_notes(origin, "seed").value_or(r.options.seed)};
}

/// Whether the images that a run holds out are those that the model it goes on from was not trained on, as the notes'
/// fingerprint of them tells; unknown where the notes have none.
inline std::optional<bool> held_out_before(const TrainingOrigin& origin, std::uint64_t held_out_images) {
  const auto before = number_in_notes(origin, "held_out_fingerprint");
  if (before) return *before == held_out_images;
  if (number_in_notes(origin, "held_out_images") == std::uint64_t{0}) return false;
  return std::nullopt;
}

/// Throws Error(option) where a run that keeps the images apart which its model was not trained on was given others.
/// `good` are the fingerprints of the good images.
inline void check_held_out_images(const TrainingRequest& r, const TrainingOrigin& origin, const HoldOut& held,
                                  std::vector<std::uint64_t> good) {
  if (held.rule != HoldOutRule::continued || held.images == 0) return;
  const std::uint64_t now = fingerprint_of(split_off(good, held.images, held.seed));
  if (held_out_before(origin, now) == false)
    throw Error("TrainingRequest::hold_out: the good images are not those of " + r.start +
                    ", so which of them it was not trained on is not known; expected the same good images or a share "
                    "(--hold-out)",
                ErrorCode::option);
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
