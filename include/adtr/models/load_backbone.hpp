/// Reads a backbone's parameters and numerics from a weights file, in any of the known naming conventions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

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
[[nodiscard]] std::string triple_text(const std::array<float, 3>& values);

[[nodiscard]] double parse_number(const std::string& path, const std::string& key, std::string_view text);

[[nodiscard]] std::array<float, 3> parse_triple(const std::string& path, const std::string& key,
                                                const std::string& text);

namespace detail {

[[nodiscard]] std::string metadata_value(const SafetensorsFile& file, const char* key);

/// Makes a text from a file fit for a message: on one line, of bounded length.
[[nodiscard]] std::string printable(std::string_view text);

/// The architecture named in the file's metadata, otherwise `given`, with the numerics that the file states.
[[nodiscard]] NamedArchitecture described_architecture(const SafetensorsFile& file, const std::string& given);

/// Throws Error if the file is a model or a checkpoint of adtr, not a backbone to start from.
void refuse_own_files(const SafetensorsFile& file);

}  // namespace detail

/// The architecture named in a weights file's metadata, otherwise `given` (from the command line). If the file says how
/// it was trained (bn_eps, padding, mean, std), this replaces the architecture's usual numerics. Throws Error: option
/// if neither names an architecture; bad_weights if the two differ, the tensors are recognised as another
/// architecture's, or the file is a model or a checkpoint.
[[nodiscard]] NamedArchitecture describe_weights(const SafetensorsFile& file, const std::string& given = "");

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

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/models/load_backbone.inl.hpp"
#endif
