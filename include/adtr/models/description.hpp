/// What a model file says about itself beside its tensors.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "adtr/core/number_text.hpp"
#include "adtr/models/load_backbone.hpp"

namespace adtr::inline ADTR_ABI {

/// How scores come from what the reconstruction misses. The score of an image is the maximum of a pooled map: of the
/// score map itself, or of another.
enum class Scoring : std::uint8_t {
  norm,  ///< the paper's: map and image from the difference norm
  taps   ///< the fast recipe's: see tap_scores(); the image's from z-scores of the deep taps over the training images
};

/// Goes into the `__metadata__` of a model file and comes out of it again.
struct ModelDescription {
  static constexpr const char* format_version = "2";

  Architecture architecture = Architecture::efficientnet_b4;
  Index image_size = 256;
  Index grid = 16;
  Numerics numerics;  ///< bn_eps is spent: the stored backbone is folded
  Scoring scoring = Scoring::norm;
  /// An image at or above it is anomalous; absent where no good images were held out.
  std::optional<double> threshold;
  /// The score map values between which heat maps are coloured: the same for every image of this model.
  double colour_low = 0.0;
  double colour_high = 1.0;
  /// How it was trained, for people: recipe, epochs, seed, images, held-out images, the rate behind the threshold.
  std::map<std::string, std::string> notes;
};

namespace detail {

using adtr::number_text;

}  // namespace detail

[[nodiscard]] inline std::map<std::string, std::string> to_metadata(const ModelDescription& d) {
  std::map<std::string, std::string> m;
  for (const auto& [key, value] : d.notes) m["note." + key] = value;
  m["format"] = "adtr";
  m["format_version"] = ModelDescription::format_version;
  m["architecture"] = std::string(name_of(d.architecture));
  m["image_size"] = std::to_string(d.image_size);
  m["grid"] = std::to_string(d.grid);
  m["padding"] = d.numerics.padding == Padding::same ? "same" : "symmetric";
  m["mean"] = triple_text(d.numerics.mean);
  m["std"] = triple_text(d.numerics.std);
  m["scoring"] = d.scoring == Scoring::norm ? "norm" : "taps";
  if (d.threshold) m["threshold"] = detail::number_text(*d.threshold);
  m["colour_low"] = detail::number_text(d.colour_low);
  m["colour_high"] = detail::number_text(d.colour_high);
  return m;
}

/// Whether a file calls itself a model (and not, say, backbone weights).
[[nodiscard]] inline bool is_model_file(const SafetensorsFile& file) {
  const auto it = file.metadata().find("format");
  return it != file.metadata().end() && it->second == "adtr";
}

/// Throws Error naming the file where it is no model, one of another version, or lacks a value.
[[nodiscard]] inline ModelDescription read_description(const SafetensorsFile& file) {
  if (!is_model_file(file))
    throw file_error(file.path(), "is not a model that adtr trained (its metadata has no format 'adtr')");
  const auto get = [&](const std::string& key) -> const std::string& {
    const auto it = file.metadata().find(key);
    if (it == file.metadata().end()) throw file_error(file.path(), "metadata has no '" + key + "'");
    return it->second;
  };
  const auto number = [&](const std::string& key) { return parse_number(file.path(), key, get(key)); };
  if (get("format_version") != ModelDescription::format_version)
    throw file_error(file.path(), "is a model of format version " + get("format_version") +
                                      "; this program reads version " + ModelDescription::format_version);
  ModelDescription d;
  const NamedArchitecture named = describe_weights(file);
  d.architecture = named.architecture;
  d.numerics = named.numerics;
  d.image_size = static_cast<Index>(number("image_size"));
  d.grid = static_cast<Index>(number("grid"));
  const std::string& score = get("scoring");
  if (score != "norm" && score != "taps")
    throw file_error(file.path(), "metadata 'scoring' is '" + score + "', expected 'norm' or 'taps'");
  d.scoring = score == "norm" ? Scoring::norm : Scoring::taps;
  if (file.metadata().contains("threshold")) d.threshold = number("threshold");
  d.colour_low = number("colour_low");
  d.colour_high = number("colour_high");
  for (const auto& [key, value] : file.metadata())
    if (key.starts_with("note.")) d.notes[key.substr(5)] = value;
  return d;
}

}  // namespace adtr::inline ADTR_ABI
