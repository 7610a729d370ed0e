/// The starting point of a training run: backbone weights or a model, and the images to hold out.
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

/// The file that a run starts from, a backbone's weights or a model, and its description.
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
      d.pooling = r.options.pooling;
      d.scoring = r.options.bank > 0                 ? Scoring::fused
                  : r.options.recipe == Recipe::fast ? Scoring::taps
                                                     : Scoring::norm;
      return origin;
    }
    auto [file, description] = open_model(r.start);
    TrainingOrigin origin{std::move(file), std::move(description)};
    if (r.options.bank > 0) origin.description.scoring = Scoring::fused;
    origin.description.threshold.reset();
    std::map<std::string, std::string> notes;
    for (const auto& [key, value] : origin.description.notes) notes["start." + key] = value;
    origin.description.notes = std::move(notes);
    return origin;
  }
};

/// Reads the note `key` of the starting model as a whole number; empty if there is no such note.
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

/// Decides which images a run holds out. A run that continues from a model, without TrainingRequest::hold_out, holds
/// out the images that the model was not trained on, so it needs the same good images. Throws Error(option) if the
/// numbers of images show that they are not the same.
inline HoldOut hold_out_of(const TrainingRequest& r, const TrainingOrigin& origin) {
  const std::size_t good = r.good.size();
  if (r.hold_out) return {HoldOutRule::asked, held_out_of(good, *r.hold_out), r.options.seed};
  if (r.start.empty()) return {HoldOutRule::automatic, held_out_unasked(good), r.options.seed};
  const auto held = static_cast<std::size_t>(number_in_notes(origin, "held_out_images").value_or(0));
  if (held == 0) return {HoldOutRule::continued, 0, r.options.seed};
  const auto before = number_in_notes(origin, "good_images");  // older models lack this note
  if (held >= good || (before && *before != good))
    throw Error("TrainingRequest::hold_out: " + r.start + " was trained on " +
                    (before ? "some of " + std::to_string(*before) : "other") + " good images and " +
                    std::to_string(held) + " were held out, and now there are " + std::to_string(good) +
                    ", so it is unknown which of them it was not trained on; expected the same good images, or a share "
                    "to hold out (--hold-out)",
                ErrorCode::option);
  const auto seed = number_in_notes(origin, "hold_out_seed");
  return {HoldOutRule::continued, held, seed ? *seed : number_in_notes(origin, "seed").value_or(r.options.seed)};
}

/// Whether the run holds out the images that its starting model was not trained on, according to the fingerprint in the
/// notes; empty if the notes do not tell.
inline std::optional<bool> held_out_before(const TrainingOrigin& origin, std::uint64_t held_out_images) {
  const auto before = number_in_notes(origin, "held_out_fingerprint");
  if (before) return *before == held_out_images;
  if (number_in_notes(origin, "held_out_images") == std::uint64_t{0}) return false;
  return std::nullopt;
}

/// Throws Error(option) if a run is to hold out the images that its starting model was not trained on, but was given
/// other images. `good` holds the fingerprints of the good images.
inline void check_held_out_images(const TrainingRequest& r, const TrainingOrigin& origin, const HoldOut& held,
                                  std::vector<std::uint64_t> good) {
  if (held.rule != HoldOutRule::continued || held.images == 0) return;
  const std::uint64_t now = fingerprint_of(split_off(good, held.images, held.seed));
  if (held_out_before(origin, now) == false)
    throw Error("TrainingRequest::hold_out: the good images are not those of " + r.start +
                    ", so it is unknown which of them it was not trained on; expected the same good images, or a share "
                    "to hold out (--hold-out)",
                ErrorCode::option);
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
