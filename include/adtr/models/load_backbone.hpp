/// Reads a backbone's parameters and numerics from a weights file, in any of the known naming conventions.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/number_text.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/weights/loader.hpp"
#include "adtr/weights/names.hpp"
#include "adtr/weights/prefixes.hpp"
#include "adtr/weights/recognise.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Opens a weights file; see SafetensorsFile.
[[nodiscard]] inline SafetensorsFile load_weights(const std::string& path) { return SafetensorsFile::open(path); }

/// Writes three numbers as a metadata value; parse_triple() reads them back, and names `key` in the Error for a bad
/// text.
[[nodiscard]] inline std::string triple_text(const std::array<float, 3>& values) {
  std::string text;
  for (const float v : values) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), v).ptr;
    text += (text.empty() ? "" : ",") + std::string(digits.begin(), end);
  }
  return text;
}

[[nodiscard]] inline double parse_number(const std::string& path, const std::string& key, std::string_view text) {
  const std::optional<double> value = parse_double(text);
  if (!value || !std::isfinite(*value))
    throw weights_error(path, "metadata '" + key + "' is " + quoted_for_message(text) + ", expected a number");
  return *value;
}

[[nodiscard]] inline std::array<float, 3> parse_triple(const std::string& path, const std::string& key,
                                                       const std::string& text) {
  std::array<float, 3> values{};
  std::size_t begin = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t comma = i < 2 ? text.find(',', begin) : text.size();
    if (comma == std::string::npos)
      throw weights_error(
          path, "metadata '" + key + "' is " + quoted_for_message(text) + ", expected three numbers between commas");
    values[i] = static_cast<float>(parse_number(path, key, std::string_view(text).substr(begin, comma - begin)));
    begin = comma + 1;
  }
  return values;
}

namespace detail {

[[nodiscard]] inline std::string metadata_value(const SafetensorsFile& file, const char* key) {
  const auto it = file.metadata().find(key);
  return it == file.metadata().end() ? std::string() : it->second;
}

/// Makes a text from a file fit for a message: on one line, of bounded length.
[[nodiscard]] inline std::string printable(std::string_view text) {
  const std::string quoted = quoted_for_message(text);
  return quoted.substr(1, quoted.rfind('"') - 1);
}

/// The architecture named in the file's metadata, otherwise `given`, with the numerics that the file states.
[[nodiscard]] inline NamedArchitecture described_architecture(const SafetensorsFile& file, const std::string& given) {
  const auto value = [&](const char* key) { return metadata_value(file, key); };
  const std::string stored = printable(value("architecture"));
  if (stored.empty() && given.empty())
    throw file_error(file.path(), "does not say which architecture its weights are for; name it (--architecture)",
                     ErrorCode::option);
  NamedArchitecture named = given.empty() ? NamedArchitecture{} : parse_architecture(given);
  if (!stored.empty()) {
    try {
      const NamedArchitecture own = parse_architecture(stored);
      if (given.empty()) named = own;
      if (own.architecture != named.architecture) throw Error("holds weights of " + stored + ", expected " + given);
    } catch (const Error& e) {
      throw weights_error(file.path(), e.what());
    }
  }
  Numerics& n = named.numerics;
  if (const auto text = value("bn_eps"); !text.empty()) {
    n.bn_eps = parse_number(file.path(), "bn_eps", text);
    if (!(n.bn_eps > 0.0))
      throw weights_error(file.path(),
                          "metadata 'bn_eps' is " + quoted_for_message(text) + ", expected a number above 0");
  }
  if (const auto text = value("padding"); !text.empty()) {
    if (text != "same" && text != "symmetric")
      throw weights_error(file.path(),
                          "metadata 'padding' is " + quoted_for_message(text) + ", expected \"same\" or \"symmetric\"");
    n.padding = text == "same" ? Padding::same : Padding::symmetric;
  }
  if (const auto text = value("mean"); !text.empty()) n.mean = parse_triple(file.path(), "mean", text);
  if (const auto text = value("std"); !text.empty()) {
    n.std = parse_triple(file.path(), "std", text);
    if (!std::all_of(n.std.begin(), n.std.end(), [](float v) { return v > 0.0F; }))
      throw weights_error(file.path(), "metadata 'std' is " + quoted_for_message(text) + ", expected numbers above 0");
  }
  return named;
}

/// Throws Error if the file is a model or a checkpoint of adtr, not a backbone to start from.
inline void refuse_own_files(const SafetensorsFile& file) {
  const std::string format = metadata_value(file, "format");
  if (format == "adtr")
    throw weights_error(file.path(),
                        "is a model that adtr trained, expected a backbone's weights (--backbone); --start continues "
                        "from a model");
  if (format == "adtr-checkpoint")
    throw weights_error(
        file.path(),
        "is a checkpoint of a training run, expected a backbone's weights (--backbone); --resume continues "
        "from a checkpoint");
}

}  // namespace detail

/// The architecture named in a weights file's metadata, otherwise `given` (from the command line). If the file says how
/// it was trained (bn_eps, padding, mean, std), this replaces the architecture's usual numerics. Throws Error: option
/// if neither names an architecture; bad_weights if the two differ, the tensors are recognised as another
/// architecture's, or the file is a model or a checkpoint.
[[nodiscard]] inline NamedArchitecture describe_weights(const SafetensorsFile& file, const std::string& given = "") {
  detail::refuse_own_files(file);
  NamedArchitecture named = detail::described_architecture(file, given);
  const auto seen = recognise_backbone(file, backbone_prefix(file));
  if (seen && *seen != name_of(named.architecture))
    throw weights_error(file.path(), "holds the weights of " + *seen + ", as its tensors show, expected " +
                                         std::string(name_of(named.architecture)));
  return named;
}

namespace detail {

/// The number of blocks in each stage of a Sequential.
template <class Layers>
std::vector<int> stage_depths() {
  std::vector<int> depths;
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    const auto add = [&]<class L>(std::type_identity<L>) {
      if constexpr (requires { L::blocks; }) depths.push_back(static_cast<int>(L::blocks));
    };
    (add(std::type_identity<typename Layers::template Layer<K>>{}), ...);
  }
  (std::make_index_sequence<Layers::size>{});
  return depths;
}

struct FindsSqueezeExcite {
  bool found = false;
  template <class T>
  void tensor(const std::string&, T*, const Shape&) {}
  template <class T>
  void folded(const std::string&, const Folded& names, T*, T*, const Shape&) {
    found = found || std::string_view(names.convolution).starts_with("se.");
  }
};

}  // namespace detail

/// Fills `parameters` from a weights file with the names of timm, torchvision or lukemelas, with or without a common
/// prefix (backbone_prefix), and folds batch norms with `bn_eps`. Throws one Error (bad_weights) that lists everything
/// that does not fit.
template <class Layers, std::floating_point T>
void load_backbone(const SafetensorsFile& file, double bn_eps, ParametersOf<Layers, T>& parameters) {
  detail::refuse_own_files(file);
  const std::string prefix = backbone_prefix(file);
  const auto has = [&](std::string_view name) { return file.contains(prefix + std::string(name)); };
  const Convention convention = convention_of(has).value_or(Convention::timm);
  detail::FindsSqueezeExcite squeeze_excite;
  walk_parameters(parameters, "", squeeze_excite);
  const std::vector<int> depths = detail::stage_depths<Layers>();
  ParameterLoader<T> loader(file, bn_eps, [&](const std::string& name) {
    return prefix + translate(name, convention, depths, squeeze_excite.found);
  });
  walk_parameters(parameters, "", loader);
  // Tensors without the backbone's prefix belong to another part: a head, an optimiser.
  const auto surplus = [&](const std::string& name) {
    return !name.starts_with(prefix) || is_known_surplus(std::string_view(name).substr(prefix.size()), convention);
  };
  loader.finish(surplus, recognise_network(file, prefix));
}

}  // namespace ADTR_ABI
}  // namespace adtr
