// A backbone of your own: ResNet-50 (He et al., CVPR 2016), with its bottleneck block as a layer of your own, and ADTR
// over it. (A backbone that the program `adtr` should know by name is one row of a table; see docs/extending.md.)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/adtr.hpp"
#include "adtr/models/feature_extractor.hpp"

using adtr::Index;

/// x → conv 1×1 → conv 3×3 → conv 1×1, + x (through a 1×1 convolution where the shape changes), → relu. The names are
/// torchvision's.
template <class Input_, Index Width, Index Stride>
struct Bottleneck {
  static constexpr auto relu = adtr::Activation::relu;
  using Input = Input_;
  using First = adtr::Convolution<Input, adtr::ConvolutionSpec{Width, 1, 1, relu}, "conv1", "bn1">;
  using Second =
      adtr::Convolution<typename First::Output, adtr::ConvolutionSpec{Width, 3, Stride, relu}, "conv2", "bn2">;
  using Third =
      adtr::Convolution<typename Second::Output, adtr::ConvolutionSpec{4 * Width, 1, 1, relu}, "conv3", "bn3">;
  using Downsample =
      adtr::Convolution<Input, adtr::ConvolutionSpec{4 * Width, 1, Stride}, "downsample.0", "downsample.1">;
  using Output = typename Third::Output;
  static constexpr bool reshapes = Stride != 1 || Input::channels != Output::channels;
  static constexpr Index macs = First::macs + Second::macs + Third::macs + (reshapes ? Downsample::macs : 0);

  template <class T>
  struct Parameters {
    adtr::ParametersOf<First, T> first;
    adtr::ParametersOf<Second, T> second;
    adtr::ParametersOf<Third, T> third;
    adtr::ParametersOf<Downsample, T> downsample;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("", self.first);
      visit("", self.second);
      visit("", self.third);
      if constexpr (reshapes) visit("", self.downsample);
    }
  };

  template <adtr::Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = adtr::MapIn<B>;
    using Out = adtr::MapOut<B>;
    adtr::WeightsOf<First, B> first;
    adtr::WeightsOf<Second, B> second;
    adtr::WeightsOf<Third, B> third;
    adtr::WeightsOf<Downsample, B> downsample;

    void prepare(const adtr::Preparation<B>& how, const Parameters<T>& p) {
      first.prepare(how, p.first);
      second.prepare(how, p.second);
      third.prepare(how, p.third);
      if constexpr (reshapes) downsample.prepare(how, p.downsample);
    }

    void forward(const adtr::Pass<B>& pass, In x, Out y, adtr::Arena<T>& arena) const {
      const adtr::ArenaScope<T> scope(arena);
      const auto a = adtr::take_maps<typename First::Output>(arena, x.batch);
      const auto b = adtr::take_maps<typename Second::Output>(arena, x.batch);
      first.forward(pass, x, a, arena);
      second.forward(pass, a, b, arena);
      auto residual = x.matrix();
      if constexpr (reshapes) {
        const auto reshaped = adtr::take_maps<Output>(arena, x.batch);
        downsample.forward(pass, x, reshaped, arena);
        residual = reshaped.matrix();
      }
      third.forward(pass, b, y, arena, residual);
    }
  };
};
static_assert(adtr::Layer<Bottleneck<adtr::Extents<8, 8, 64>, 16, 1>>, "Bottleneck lacks something every layer has");

template <class Image>
struct MakeResNet50 {
  using Stem = adtr::Convolution<Image, adtr::ConvolutionSpec{64, 7, 2, adtr::Activation::relu}, "conv1", "bn1">;
  using Pool = adtr::MaxPool<typename Stem::Output, 3, 2>;
  template <class In, Index Width, Index Stride, std::size_t N>
  using Blocks = adtr::Stage<Bottleneck<In, Width, Stride>,
                             Bottleneck<typename Bottleneck<In, Width, Stride>::Output, Width, 1>, N>;
  using L1 = Blocks<typename Pool::Output, 64, 1, 3>;
  using L2 = Blocks<typename L1::Output, 128, 2, 4>;
  using L3 = Blocks<typename L2::Output, 256, 2, 6>;
  // Taps after layer1, layer2 and layer3, which are numbers 2, 3 and 4 of this list.
  using type =
      adtr::Backbone<adtr::Sequential<adtr::Named<"", Stem>, adtr::Named<"maxpool", Pool>, adtr::Named<"layer1", L1>,
                                      adtr::Named<"layer2", L2>, adtr::Named<"layer3", L3>>,
                     2, 3, 4>;
};
using ResNet50 = MakeResNet50<adtr::ImageShape<64, 64>>::type;
using Net = adtr::Adtr<ResNet50, adtr::Grid<4, 4>>;
// torchvision's resnet50 has 8,543,296 parameters up to layer3; a folded batch norm keeps one value per channel of two.
static_assert(adtr::parameter_count<ResNet50::Layers> == 8'543'296 - 15'296);
static_assert(Net::Features::channels == 256 + 512 + 1024);

namespace {

/// Counts the tensors, and fills them with random numbers. Real weights: adtr::load_backbone.
struct RandomWeights {
  adtr::RandomStream random{1, 0};
  int tensors = 0;
  std::string last;

  void folded(const std::string& path, const adtr::Folded& names, float* weight, float* bias,
              const adtr::Shape& shape) {
    const auto fan_out = static_cast<double>(shape.sizes[0]);
    const double deviation = std::sqrt(fan_out / static_cast<double>(shape.size()));
    std::generate_n(weight, shape.size(), [&] { return static_cast<float>(deviation * random.normal()); });
    std::fill_n(bias, shape.sizes[0], 0.0F);
    last = path + names.convolution;
    ++tensors;
  }
};

}  // namespace

int main() {
  adtr::Buffer<float> memory(adtr::parameter_count<ResNet50::Layers>);
  auto parameters = adtr::bind_parameters<ResNet50::Layers>(memory.data());
  RandomWeights weights;
  adtr::walk_parameters(parameters, "", weights);
  std::printf("%d convolutions, the last of them %s; %.1f million multiply-accumulates per image\n", weights.tensors,
              weights.last.c_str(), static_cast<double>(ResNet50::macs) / 1e6);

  adtr::FeatureExtractor<Net, adtr::Cpu> extractor(adtr::Cpu::Context(1), parameters, adtr::Padding::symmetric,
                                                   adtr::Pooling::bilinear);
  adtr::Buffer<float> image(Net::Image::size), features(Net::Features::size);
  std::generate_n(image.data(), image.size(), [&] { return static_cast<float>(weights.random.normal()); });
  extractor.extract(adtr::map_view<Net::Image>(image.data(), 1), adtr::map_view<Net::Features>(features.data(), 1));
  const auto [low, high] = std::minmax_element(features.data(), features.data() + features.size());
  std::printf("features from %.3g to %.3g\n", static_cast<double>(*low), static_cast<double>(*high));
  return weights.tensors == 43 && std::isfinite(*high) && *low < *high ? 0 : 1;
}
