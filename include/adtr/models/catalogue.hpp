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

/// The numerics of an architecture's usual weights.
enum class UsualNumerics : std::uint8_t {
  timm,        ///< PyTorch's defaults; the weights `tf_<name>` of the EfficientNets have TensorFlow's
  tensorflow,  ///< TensorFlow's padding and batch norm, inputs (x − 127)/128: the Lite models
};

// One row per backbone: its name in files and on command lines, its type for images of a shape, its usual numerics.
// The enumeration, the names, the types and the list of all networks are made from these rows.
#define ADTR_BACKBONES(ROW)                              \
  ROW(efficientnet_b0, EfficientNetB0, timm)             \
  ROW(efficientnet_b1, EfficientNetB1, timm)             \
  ROW(efficientnet_b2, EfficientNetB2, timm)             \
  ROW(efficientnet_b3, EfficientNetB3, timm)             \
  ROW(efficientnet_b4, EfficientNetB4, timm)             \
  ROW(efficientnet_b5, EfficientNetB5, timm)             \
  ROW(efficientnet_b6, EfficientNetB6, timm)             \
  ROW(efficientnet_b7, EfficientNetB7, timm)             \
  ROW(efficientnet_lite0, EfficientNetLite0, tensorflow) \
  ROW(efficientnet_lite1, EfficientNetLite1, tensorflow) \
  ROW(efficientnet_lite2, EfficientNetLite2, tensorflow) \
  ROW(efficientnet_lite3, EfficientNetLite3, tensorflow) \
  ROW(efficientnet_lite4, EfficientNetLite4, tensorflow) \
  ROW(resnet18, ResNet18, timm)                          \
  ROW(resnet34, ResNet34, timm)                          \
  ROW(pixels, Pixels, timm) /* no backbone: an ablation */

enum class Architecture : std::uint8_t {
#define ADTR_ROW(name, type, numerics) name,
  ADTR_BACKBONES(ADTR_ROW)
#undef ADTR_ROW
};

namespace detail {
/// The rows as data.
struct BackboneRow {
  std::string_view name;
  UsualNumerics numerics;
};
inline constexpr std::array backbone_rows{
#define ADTR_ROW(name, type, numerics) BackboneRow{#name, UsualNumerics::numerics},
    ADTR_BACKBONES(ADTR_ROW)
#undef ADTR_ROW
};

/// The rows as types.
template <Architecture A, class Image>
struct BackboneType;
#define ADTR_ROW(name, backbone, numerics)         \
  template <class Image>                           \
  struct BackboneType<Architecture::name, Image> { \
    using type = backbone<Image>;                  \
  };
ADTR_BACKBONES(ADTR_ROW)
#undef ADTR_ROW
#undef ADTR_BACKBONES
}  // namespace detail

/// Number of backbones: the architectures before the ablation `pixels`.
inline constexpr auto backbone_count = static_cast<std::size_t>(Architecture::pixels);

/// The backbone type of an architecture.
template <Architecture A, class Image>
using BackboneOf = typename detail::BackboneType<A, Image>::type;

[[nodiscard]] constexpr std::string_view name_of(Architecture a) {
  return detail::backbone_rows[static_cast<std::size_t>(a)].name;
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
[[nodiscard]] NamedArchitecture parse_architecture(std::string_view name);

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

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/models/catalogue.inl.hpp"
#endif
