/// A backbone's parameters and numerics out of a weights file, whoever named its tensors.
#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "adtr/models/catalogue.hpp"
#include "adtr/weights/loader.hpp"
#include "adtr/weights/names.hpp"

namespace adtr::inline ADTR_ABI {

/// Opens a weights file; see SafetensorsFile.
[[nodiscard]] inline SafetensorsFile load_weights(const std::string& path) { return SafetensorsFile::open(path); }

/// Three numbers as a metadata value, and back; `key` names the value in the Error that bad text throws.
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
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw file_error(path, "metadata '" + key + "' is '" + std::string(text) + "', expected a number");
  return value;
}

[[nodiscard]] inline std::array<float, 3> parse_triple(const std::string& path, const std::string& key,
                                                       const std::string& text) {
  std::array<float, 3> values{};
  std::size_t begin = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t comma = i < 2 ? text.find(',', begin) : text.size();
    if (comma == std::string::npos)
      throw file_error(path, "metadata '" + key + "' is '" + text + "', expected three numbers between commas");
    values[i] = static_cast<float>(parse_number(path, key, std::string_view(text).substr(begin, comma - begin)));
    begin = comma + 1;
  }
  return values;
}

/// The architecture that a weights file names in its metadata, or else `given` (from the command line); where the file
/// says how it was trained (bn_eps, padding, mean, std), that replaces the architecture's usual numerics. Throws Error
/// where neither names an architecture, or the two differ.
[[nodiscard]] inline NamedArchitecture describe_weights(const SafetensorsFile& file, const std::string& given = "") {
  const auto& metadata = file.metadata();
  const auto value = [&](const char* key) {
    const auto it = metadata.find(key);
    return it == metadata.end() ? std::string() : it->second;
  };
  const std::string stored = value("architecture");
  if (stored.empty() && given.empty())
    throw file_error(file.path(), "does not say which architecture its weights are for; name it (--architecture)");
  NamedArchitecture named = given.empty() ? NamedArchitecture{} : parse_architecture(given);
  if (!stored.empty()) {
    try {
      const NamedArchitecture own = parse_architecture(stored);
      if (given.empty()) named = own;
      if (own.architecture != named.architecture) throw Error("holds weights of " + stored + ", expected " + given);
    } catch (const Error& e) {
      throw file_error(file.path(), e.what());
    }
  }
  Numerics& n = named.numerics;
  if (const auto text = value("bn_eps"); !text.empty()) n.bn_eps = parse_number(file.path(), "bn_eps", text);
  if (const auto text = value("padding"); !text.empty()) {
    if (text != "same" && text != "symmetric")
      throw file_error(file.path(), "metadata 'padding' is '" + text + "', expected 'same' or 'symmetric'");
    n.padding = text == "same" ? Padding::same : Padding::symmetric;
  }
  if (const auto text = value("mean"); !text.empty()) n.mean = parse_triple(file.path(), "mean", text);
  if (const auto text = value("std"); !text.empty()) n.std = parse_triple(file.path(), "std", text);
  return named;
}

namespace detail {

/// The number of blocks of each stage among the layers of a Sequential.
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

/// Fills `parameters` from a weights file with the names of timm, torchvision or lukemelas, batch norms folded with
/// `bn_eps`. Throws one Error with everything that does not fit.
template <class Layers, std::floating_point T>
void load_backbone(const SafetensorsFile& file, double bn_eps, typename Layers::template Parameters<T>& parameters) {
  const auto has = [&](std::string_view name) { return file.contains(name); };
  const Convention convention = convention_of(has).value_or(Convention::timm);
  detail::FindsSqueezeExcite squeeze_excite;
  walk_parameters(parameters, "", squeeze_excite);
  const std::vector<int> depths = detail::stage_depths<Layers>();
  ParameterLoader<T> loader(
      file, bn_eps, [&](const std::string& name) { return translate(name, convention, depths, squeeze_excite.found); });
  walk_parameters(parameters, "", loader);
  loader.finish([&](const std::string& name) { return is_known_surplus(name, convention); });
}

}  // namespace adtr::inline ADTR_ABI
