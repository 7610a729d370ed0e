/// The architectures by name, their numerics, and the compiled networks that a file can ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adtr/core/error.hpp"
#include "adtr/models/adtr.hpp"
#include "adtr/models/efficientnet.hpp"
#include "adtr/models/pixels.hpp"
#include "adtr/models/resnet.hpp"

namespace adtr {
inline namespace ADTR_ABI {

enum class Architecture : std::uint8_t {
  efficientnet_b0,
  efficientnet_b1,
  efficientnet_b2,
  efficientnet_b3,
  efficientnet_b4,
  efficientnet_b5,
  efficientnet_b6,
  efficientnet_b7,
  efficientnet_lite0,
  efficientnet_lite1,
  efficientnet_lite2,
  efficientnet_lite3,
  efficientnet_lite4,
  resnet18,
  resnet34,
  pixels  ///< no backbone: an ablation
};

inline constexpr std::array<std::string_view, 16> architecture_names{
    "efficientnet_b0",    "efficientnet_b1",    "efficientnet_b2",    "efficientnet_b3",
    "efficientnet_b4",    "efficientnet_b5",    "efficientnet_b6",    "efficientnet_b7",
    "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "efficientnet_lite3",
    "efficientnet_lite4", "resnet18",           "resnet34",           "pixels"};

[[nodiscard]] constexpr std::string_view name_of(Architecture a) {
  return architecture_names[static_cast<std::size_t>(a)];
}

/// What must be known to use a weights file and cannot be told from its tensors.
struct Numerics {
  double bn_eps = 1e-5;
  Padding padding = Padding::symmetric;
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  ///< of the input, with channels scaled to [0, 1]
  std::array<float, 3> std{0.229F, 0.224F, 0.225F};
};

/// A named architecture with the numerics of its usual weights.
struct NamedArchitecture {
  Architecture architecture;
  Numerics numerics;
};

/// Parses timm's names: `efficientnet_b4`, `tf_efficientnet_b4` (TensorFlow's numerics), `resnet18`. The Lite models
/// exist only with TensorFlow's numerics and expect inputs (x − 127)/128. Throws Error that lists the known names if
/// `name` is not one of them.
[[nodiscard]] inline NamedArchitecture parse_architecture(std::string_view name) {
  constexpr std::string_view tensorflow = "tf_";
  const bool prefixed = name.starts_with(tensorflow);
  const std::string_view plain = prefixed ? name.substr(tensorflow.size()) : name;
  for (std::size_t i = 0; i < architecture_names.size(); ++i) {
    if (architecture_names[i] != plain || (prefixed && !plain.starts_with("efficientnet_"))) continue;
    const bool lite = plain.find("lite") != std::string_view::npos;
    Numerics numerics;
    if (prefixed || lite) {
      numerics.bn_eps = 1e-3;
      numerics.padding = Padding::same;
    }
    if (lite) {
      numerics.mean.fill(127.0F / 255.0F);
      numerics.std.fill(128.0F / 255.0F);
    }
    return {static_cast<Architecture>(i), numerics};
  }
  std::string known;
  for (const std::string_view n : architecture_names) known += (known.empty() ? "" : ", ") + std::string(n);
  throw Error("architecture '" + std::string(name) + "' is not known; expected one of " + known +
                  ", or tf_efficientnet_b0 to tf_efficientnet_b7",
              ErrorCode::option);
}

namespace detail {
template <Architecture A, class Image>
constexpr auto backbone_of() {
  if constexpr (A == Architecture::resnet18)
    return std::type_identity<ResNet18<Image>>{};
  else if constexpr (A == Architecture::resnet34)
    return std::type_identity<ResNet34<Image>>{};
  else if constexpr (A == Architecture::pixels)
    return std::type_identity<Pixels<Image>>{};
  else
    return std::type_identity<EfficientNet<efficientnet_specs[static_cast<std::size_t>(A)], Image>>{};
}
}  // namespace detail

/// The backbone type of an architecture.
template <Architecture A, class Image>
using BackboneOf = typename decltype(detail::backbone_of<A, Image>())::type;

/// Which of a backbone's taps are reconstructed.
enum class Taps : std::uint8_t {
  all,
  last  ///< an ablation
};

namespace detail {
template <class B, Taps T>
struct Tapped : std::conditional_t<T == Taps::all, std::type_identity<B>, LastTapOf<B>> {};
}  // namespace detail

/// One network to compile: ADTR over architecture A, square images and a square grid. S and T are for ablations.
template <Architecture A, Index ImageSize = 256, Index GridSize = 16, TransformerSpec S = TransformerSpec{},
          Taps T = Taps::all>
struct Network {
  static constexpr Architecture architecture = A;
  static constexpr Index image_size = ImageSize;
  static constexpr Index grid = GridSize;
  using Backbone = BackboneOf<A, ImageShape<ImageSize, ImageSize>>;
  using type = Adtr<typename detail::Tapped<Backbone, T>::type, Grid<GridSize, GridSize>, S>;
};

/// The networks that a program can run. A user's own list takes one line:
/// `using Mine = adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_b2>>;`
template <class... N>
struct Networks {};

/// The default list: the paper's backbone and the fastest one. Each network takes two or three seconds to compile.
using DefaultNetworks = Networks<Network<Architecture::efficientnet_b4>, Network<Architecture::efficientnet_lite0>>;

/// Thrown if no network of the list fits.
class NoSuchNetwork : public Error {
 public:
  explicit NoSuchNetwork(const std::string& sentence) : Error(sentence, ErrorCode::no_such_network) {}
};

/// Calls `visit.template operator()<N>()`, where N is the compiled network with that architecture and geometry, and
/// returns its result. Throws NoSuchNetwork that lists the compiled networks if none fits.
template <class... N, class Visit>
auto select_network(Networks<N...>, Architecture architecture, Index image_size, Index grid, Visit&& visit) {
  using Result = std::common_type_t<decltype(visit.template operator()<N>())...>;
  std::optional<Result> result;
  const auto text = [](Architecture a, Index image, Index g) {
    return std::string(name_of(a)) + ' ' + std::to_string(image) + '/' + std::to_string(g);
  };
  ((!result && N::architecture == architecture && N::image_size == image_size && N::grid == grid
        ? void(result = visit.template operator()<N>())
        : void()),
   ...);
  if (result) return std::move(*result);
  std::string known;
  ((known += (known.empty() ? "" : ", ") + text(N::architecture, N::image_size, N::grid)), ...);
  throw NoSuchNetwork("this program is not compiled for " + text(architecture, image_size, grid) +
                      " (architecture, image size / grid); it has " + known);
}

}  // namespace ADTR_ABI
}  // namespace adtr
