/// EfficientNet B0 to B7 and Lite0 to Lite4 (Tan & Le, ICML 2019), generated from tables, with ADTR's taps.
#pragma once

#include "adtr/models/backbone.hpp"
#include "adtr/nn/mbconv.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// How one member of the family is scaled from B0.
struct EfficientNetSpec {
  double width = 1.0;  ///< factor for channels, rounded to multiples of 8
  double depth = 1.0;  ///< factor for the blocks of a stage, rounded up
  bool lite = false;   ///< ReLU6, no squeeze-and-excitation; stem, first and last stage keep B0's size
};

namespace efficientnet {

struct StageSpec {
  Index repeats, kernel, stride, expand, outputs;
};
/// B0's seven stages.
inline constexpr std::array<StageSpec, 7> base{{{1, 3, 1, 1, 16},
                                                {2, 3, 2, 6, 24},
                                                {2, 5, 2, 6, 40},
                                                {3, 3, 2, 6, 80},
                                                {3, 5, 1, 6, 112},
                                                {4, 5, 2, 6, 192},
                                                {1, 3, 1, 6, 320}}};

/// Scales and rounds to the nearest multiple of 8, but never below 90 % of the scaled value (the reference
/// implementation's make_divisible).
constexpr Index scaled_channels(Index channels, double width) {
  const double scaled = static_cast<double>(channels) * width;
  Index rounded = std::max<Index>(8, static_cast<Index>(scaled + 4.0) / 8 * 8);
  if (static_cast<double>(rounded) < 0.9 * scaled) rounded += 8;
  return rounded;
}

constexpr Index scaled_repeats(Index repeats, double depth) {
  const double scaled = static_cast<double>(repeats) * depth;
  const auto whole = static_cast<Index>(scaled);
  return static_cast<double>(whole) < scaled ? whole + 1 : whole;
}

constexpr StageSpec scaled(const EfficientNetSpec& spec, std::size_t stage) {
  StageSpec s = base[stage];
  s.outputs = scaled_channels(s.outputs, spec.width);
  if (!spec.lite || (stage != 0 && stage != base.size() - 1)) s.repeats = scaled_repeats(s.repeats, spec.depth);
  return s;
}

/// A block of stage `s`: the first one changes the shape, the others keep it.
constexpr MBConvSpec block(const EfficientNetSpec& spec, const StageSpec& s, Index inputs, bool first) {
  return {s.outputs,
          s.expand,
          s.kernel,
          first ? s.stride : 1,
          spec.lite ? 0 : std::max<Index>(1, inputs / 4),
          spec.lite ? Activation::relu6 : Activation::silu};
}

template <EfficientNetSpec Spec, class In, std::size_t K>
struct MakeStage {
  static constexpr StageSpec stage = scaled(Spec, K);
  using First = MBConv<In, block(Spec, stage, In::channels, true)>;
  using Rest = MBConv<typename First::Output, block(Spec, stage, stage.outputs, false)>;
  using type = Stage<First, Rest, static_cast<std::size_t>(stage.repeats)>;
};

template <EfficientNetSpec Spec, class Image>
struct Make {
  static constexpr Index stem = Spec.lite ? 32 : scaled_channels(32, Spec.width);
  using Stem = Convolution<Image, ConvolutionSpec{stem, 3, 2, Spec.lite ? Activation::relu6 : Activation::silu},
                           "conv_stem", "bn1">;
  using S0 = typename MakeStage<Spec, typename Stem::Output, 0>::type;
  using S1 = typename MakeStage<Spec, typename S0::Output, 1>::type;
  using S2 = typename MakeStage<Spec, typename S1::Output, 2>::type;
  using S3 = typename MakeStage<Spec, typename S2::Output, 3>::type;
  using S4 = typename MakeStage<Spec, typename S3::Output, 4>::type;
  using S5 = typename MakeStage<Spec, typename S4::Output, 5>::type;
  using S6 = typename MakeStage<Spec, typename S5::Output, 6>::type;
  /// "layer1" to "layer5" of the paper are the stages 0, 1, 2, 4 and 6.
  using type =
      Backbone<Sequential<Named<"", Stem>, Named<"blocks.0", S0>, Named<"blocks.1", S1>, Named<"blocks.2", S2>,
                          Named<"blocks.3", S3>, Named<"blocks.4", S4>, Named<"blocks.5", S5>, Named<"blocks.6", S6>>,
               1, 2, 3, 5, 7>;
};

}  // namespace efficientnet

/// A member of the family for images of shape `Image`; the names in weight files are timm's.
template <EfficientNetSpec Spec, class Image>
using EfficientNet = typename efficientnet::Make<Spec, Image>::type;

template <class Image>
using EfficientNetB0 = EfficientNet<EfficientNetSpec{1.0, 1.0}, Image>;
template <class Image>
using EfficientNetB1 = EfficientNet<EfficientNetSpec{1.0, 1.1}, Image>;
template <class Image>
using EfficientNetB2 = EfficientNet<EfficientNetSpec{1.1, 1.2}, Image>;
template <class Image>
using EfficientNetB3 = EfficientNet<EfficientNetSpec{1.2, 1.4}, Image>;
template <class Image>
using EfficientNetB4 = EfficientNet<EfficientNetSpec{1.4, 1.8}, Image>;
template <class Image>
using EfficientNetB5 = EfficientNet<EfficientNetSpec{1.6, 2.2}, Image>;
template <class Image>
using EfficientNetB6 = EfficientNet<EfficientNetSpec{1.8, 2.6}, Image>;
template <class Image>
using EfficientNetB7 = EfficientNet<EfficientNetSpec{2.0, 3.1}, Image>;
template <class Image>
using EfficientNetLite0 = EfficientNet<EfficientNetSpec{1.0, 1.0, true}, Image>;
template <class Image>
using EfficientNetLite1 = EfficientNet<EfficientNetSpec{1.0, 1.1, true}, Image>;
template <class Image>
using EfficientNetLite2 = EfficientNet<EfficientNetSpec{1.1, 1.2, true}, Image>;
template <class Image>
using EfficientNetLite3 = EfficientNet<EfficientNetSpec{1.2, 1.4, true}, Image>;
template <class Image>
using EfficientNetLite4 = EfficientNet<EfficientNetSpec{1.4, 1.8, true}, Image>;

}  // namespace ADTR_ABI
}  // namespace adtr
