/// The functions of load_backbone.hpp that are not templates; see core/compiled.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adtr/core/compiled.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/models/load_backbone.hpp"
#include "adtr/weights/prefixes.hpp"
#include "adtr/weights/recognise.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION std::string triple_text(const std::array<float, 3>& values) {
  std::string text;
  for (const float v : values) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), v).ptr;
    text += (text.empty() ? "" : ",") + std::string(digits.begin(), end);
  }
  return text;
}

ADTR_FUNCTION double parse_number(const std::string& path, const std::string& key, std::string_view text) {
  const std::optional<double> value = parse_double(text);
  if (!value || !std::isfinite(*value))
    throw weights_error(path, "metadata '" + key + "' is " + quoted_for_message(text) + ", expected a number");
  return *value;
}

ADTR_FUNCTION std::array<float, 3> parse_triple(const std::string& path, const std::string& key,
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

ADTR_FUNCTION std::string metadata_value(const SafetensorsFile& file, const char* key) {
  const auto it = file.metadata().find(key);
  return it == file.metadata().end() ? std::string() : it->second;
}

ADTR_FUNCTION std::string printable(std::string_view text) {
  const std::string quoted = quoted_for_message(text);
  return quoted.substr(1, quoted.rfind('"') - 1);
}

ADTR_FUNCTION NamedArchitecture described_architecture(const SafetensorsFile& file, const std::string& given) {
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

ADTR_FUNCTION void refuse_own_files(const SafetensorsFile& file) {
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

ADTR_FUNCTION NamedArchitecture describe_weights(const SafetensorsFile& file, const std::string& given) {
  detail::refuse_own_files(file);
  NamedArchitecture named = detail::described_architecture(file, given);
  const auto seen = recognise_backbone(file, backbone_prefix(file));
  if (seen && *seen != name_of(named.architecture))
    throw weights_error(file.path(), "holds the weights of " + *seen + ", as its tensors show, expected " +
                                         std::string(name_of(named.architecture)));
  return named;
}

}  // namespace ADTR_ABI
}  // namespace adtr
