/// The functions of description.hpp; see core/compiled.hpp.
#pragma once

#include <charconv>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/compiled.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/models/description.hpp"
#include "adtr/weights/prefixes.hpp"
#include "adtr/weights/recognise.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION std::map<std::string, std::string> to_metadata(const ModelDescription& d) {
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
  if (d.threshold) m["threshold"] = number_text(*d.threshold);
  m["colour_low"] = number_text(d.colour_low);
  m["colour_high"] = number_text(d.colour_high);
  return m;
}

ADTR_FUNCTION bool is_model_file(const SafetensorsFile& file) {
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

ADTR_FUNCTION ModelDescription read_description(const SafetensorsFile& file) {
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
    throw weights_error(file.path(), "metadata 'colour_low' is " + number_text(d.colour_low) +
                                         ", expected at most 'colour_high', " + number_text(d.colour_high));
  for (const auto& [key, value] : file.metadata())
    if (key.starts_with("note.")) d.notes[key.substr(5)] = value;
  return d;
}

ADTR_FUNCTION std::pair<SafetensorsFile, ModelDescription> open_model(const std::string& path) {
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
