/// A model file's metadata: what it says about itself in addition to its tensors.
#pragma once

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/number_text.hpp"
#include "adtr/models/load_backbone.hpp"
#include "adtr/models/scoring.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The contents of a model file's `__metadata__`, written by to_metadata() and read by read_description().
struct ModelDescription {
  static constexpr const char* format_version = "3";
  static constexpr const char* oldest_version = "2";  ///< the oldest version that is read; it has no 'pooling'
  static constexpr Index max_image_size = 16384;      ///< the largest size that a file may ask for

  Architecture architecture = Architecture::efficientnet_b4;
  Index image_size = 256;
  Index grid = 16;
  Numerics numerics;                    ///< bn_eps is unused: the stored backbone has its batch norms folded
  Pooling pooling = Pooling::bilinear;  ///< always bilinear in a file of version 2
  Scoring scoring = Scoring::norm;
  /// An image with this score or a higher one is anomalous; absent if no good images were held out.
  std::optional<double> threshold;
  /// The range of score map values that heat maps colour, the same for every image of this model.
  double colour_low = 0.0;
  double colour_high = 1.0;
  /// How the model was trained, for people to read: recipe, epochs, seed, images, held-out images, the rate behind the
  /// threshold.
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
  m["pooling"] = name_of(d.pooling);
  m["mean"] = triple_text(d.numerics.mean);
  m["std"] = triple_text(d.numerics.std);
  m["scoring"] = std::string(name_of(d.scoring));
  if (d.threshold) m["threshold"] = detail::number_text(*d.threshold);
  m["colour_low"] = detail::number_text(d.colour_low);
  m["colour_high"] = detail::number_text(d.colour_high);
  return m;
}

/// Whether a file says that it is a model (and not, for example, backbone weights).
[[nodiscard]] inline bool is_model_file(const SafetensorsFile& file) {
  const auto it = file.metadata().find("format");
  return it != file.metadata().end() && it->second == "adtr";
}

namespace detail {

/// The Error for a file that is not a model; says what the file is instead, and what to do with it.
[[nodiscard]] inline Error no_model(const SafetensorsFile& file) {
  const auto error = [&](const std::string& sentence) {
    return file_error(file.path(), sentence, ErrorCode::not_a_model);
  };
  if (metadata_value(file, "format") == "adtr-checkpoint")
    return error("is a checkpoint of a training run, not a model that adtr trained; adtr train --resume continues it");
  const std::vector<std::string> prefixes = backbone_prefixes(file);
  if (prefixes.empty()) return error("is not a model that adtr trained (its metadata has no format 'adtr')");
  const std::string stored = metadata_value(file, "architecture");
  const std::string network = stored.empty() ? recognise_backbone(file, prefixes.front()).value_or("") : stored;
  return error("is not a model that adtr trained but a backbone's weights" +
               (network.empty() ? "" : " (" + printable(network) + ")") +
               "; adtr train makes a model with them (--backbone)");
}

/// The way of pooling with this name. Throws Error that lists the names.
[[nodiscard]] inline Pooling parse_pooling(const std::string& path, const std::string& name) {
  for (const Pooling pooling : {Pooling::bilinear, Pooling::area})
    if (name_of(pooling) == name) return pooling;
  throw weights_error(path,
                      "metadata 'pooling' is " + quoted_for_message(name) + ", expected \"bilinear\" or \"area\"");
}

/// The scoring method with this name. Throws Error that lists the names.
[[nodiscard]] inline Scoring parse_scoring(const std::string& path, const std::string& name) {
  std::string known;
  for (std::size_t i = 0; i < scoring_methods; ++i) {
    const auto scoring = static_cast<Scoring>(i);
    if (name_of(scoring) == name) return scoring;
    known += (known.empty() ? "\"" : " or \"") + std::string(name_of(scoring)) + '"';
  }
  throw weights_error(path, "metadata 'scoring' is " + quoted_for_message(name) + ", expected " + known);
}

/// Reads an integer from 1 to `most` from the metadata.
[[nodiscard]] inline Index size_in_metadata(const SafetensorsFile& file, const std::string& key, Index most) {
  const std::string& text = file.metadata().at(key);
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > most)
    throw weights_error(file.path(), "metadata '" + key + "' is " + quoted_for_message(text) +
                                         ", expected an integer from 1 to " + std::to_string(most));
  return value;
}

}  // namespace detail

/// Reads the description of a model. Throws Error naming the file: not_a_model if it is not a model; bad_weights if it
/// has another version, or if a value is absent or out of range: sizes are positive integers, all numbers are finite,
/// deviations are above 0.
[[nodiscard]] inline ModelDescription read_description(const SafetensorsFile& file) {
  if (!is_model_file(file)) throw detail::no_model(file);
  const auto get = [&](const std::string& key) -> const std::string& {
    const auto it = file.metadata().find(key);
    if (it == file.metadata().end()) throw weights_error(file.path(), "metadata has no '" + key + "'");
    return it->second;
  };
  const auto number = [&](const std::string& key) { return parse_number(file.path(), key, get(key)); };
  const auto size = [&](const std::string& key, Index most) {
    static_cast<void>(get(key));
    return detail::size_in_metadata(file, key, most);
  };
  const std::string& version = get("format_version");
  if (version != ModelDescription::format_version && version != ModelDescription::oldest_version)
    throw weights_error(file.path(), "is a model of format version " + detail::printable(version) +
                                         "; this program reads versions " + ModelDescription::oldest_version + " and " +
                                         ModelDescription::format_version);
  ModelDescription d;
  static_cast<void>(get("architecture"));
  const NamedArchitecture named = detail::described_architecture(file, "");
  d.architecture = named.architecture;
  d.numerics = named.numerics;
  d.image_size = size("image_size", ModelDescription::max_image_size);
  d.grid = size("grid", d.image_size);
  if (version != ModelDescription::oldest_version) d.pooling = detail::parse_pooling(file.path(), get("pooling"));
  d.scoring = detail::parse_scoring(file.path(), get("scoring"));
  if (file.metadata().contains("threshold")) d.threshold = number("threshold");
  d.colour_low = number("colour_low");
  d.colour_high = number("colour_high");
  if (d.colour_low > d.colour_high)
    throw weights_error(file.path(), "metadata 'colour_low' is " + detail::number_text(d.colour_low) +
                                         ", expected at most 'colour_high', " + detail::number_text(d.colour_high));
  for (const auto& [key, value] : file.metadata())
    if (key.starts_with("note.")) d.notes[key.substr(5)] = value;
  return d;
}

/// Opens a model and reads its description. Throws the Errors of read_description() and of SafetensorsFile::open(), but
/// with the code not_a_model instead of bad_weights if the file cannot be read as safetensors.
[[nodiscard]] inline std::pair<SafetensorsFile, ModelDescription> open_model(const std::string& path) {
  const auto open = [&] {
    try {
      return SafetensorsFile::open(path);
    } catch (const Error& e) {
      throw Error(e.what(), e.code() == ErrorCode::bad_weights ? ErrorCode::not_a_model : e.code());
    }
  };
  SafetensorsFile file = open();
  ModelDescription description = read_description(file);
  return {std::move(file), std::move(description)};
}

}  // namespace ADTR_ABI
}  // namespace adtr
