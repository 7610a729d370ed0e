/// Builds a custom network from layers. The network is a type: the compiler knows every shape and checks that each
/// layer accepts the output of the layer before it. One definition runs on every backend.
///
///     03_custom_network
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <adtr/backend/cpu.hpp>
#include <adtr/backend/reference.hpp>
#include <adtr/core/random.hpp>
#include <adtr/models/model.hpp>
#include <adtr/nn/mbconv.hpp>

using adtr::Activation;

// A backbone for 64×64 images: a convolution and MBConv blocks in two stages. The names are those of the tensors in a
// weights file.
using Stem =
    adtr::Convolution<adtr::ImageShape<64, 64>,
                      adtr::ConvolutionSpec{.outputs = 16, .kernel = 3, .stride = 2, .activation = Activation::silu},
                      "stem", "stem_norm">;
using Wide = adtr::MBConv<Stem::Output, adtr::MBConvSpec{.outputs = 24, .expand = 4, .kernel = 3, .stride = 2}>;
using WideAgain = adtr::MBConv<Wide::Output, adtr::MBConvSpec{.outputs = 24, .expand = 4, .kernel = 5}>;
using Deep =
    adtr::MBConv<Wide::Output, adtr::MBConvSpec{.outputs = 48, .expand = 6, .kernel = 3, .stride = 2, .squeezed = 8}>;

using Layers = adtr::Sequential<adtr::Named<"stem", Stem>,                             //
                                adtr::Named<"wide", adtr::Stage<Wide, WideAgain, 3>>,  // one block, then two more
                                adtr::Named<"deep", Deep>>;

// The features are the outputs of layers 1 and 2, resized to an 8×8 grid and concatenated.
using MyBackbone = adtr::Backbone<Layers, 1, 2>;
using Net = adtr::Adtr<MyBackbone, adtr::Grid<8, 8>,
                       adtr::TransformerSpec{.channels = 64, .heads = 4, .hidden = 128, .layers = 2}>;

static_assert(std::is_same_v<Stem::Output, adtr::Extents<32, 32, 16>>);
static_assert(std::is_same_v<Layers::Output, adtr::Extents<8, 8, 48>>);
static_assert(Net::Features::channels == 24 + 48);
static_assert(Net::macs < 25'000'000);

namespace {

/// Fills parameters with random numbers. Each layer lists its parameters once, for loading, saving and counting; any
/// object with the functions tensor() and folded() can walk that list. To load weights, see adtr::load_backbone.
struct RandomWeights {
  adtr::RandomStream random{1, 0};

  void fill(float* data, adtr::Index count, double deviation) {
    std::generate_n(data, count, [&] { return static_cast<float>(deviation * random.normal()); });
  }
  void tensor(const std::string& name, float* data, const adtr::Shape& shape) {
    if (name.ends_with("_std"))
      std::fill_n(data, shape.size(), 1.0F);
    else
      fill(data, shape.size(), 0.1);
  }
  void folded(const std::string&, const adtr::Folded&, float* weight, float* bias, const adtr::Shape& shape) {
    const adtr::Index outputs = shape.sizes[0];
    fill(weight, shape.size(), std::sqrt(2.0 * static_cast<double>(outputs) / static_cast<double>(shape.size())));
    fill(bias, outputs, 0.1);
  }
};

using Trained = adtr::TrainedTensors<Net>;

template <adtr::Backend B>
std::vector<float> position_scores(const Layers::Parameters<float>& backbone, const Trained::Parameters<float>& trained,
                                   const float* image) {
  const typename B::Context context(1);  // one thread
  adtr::FeatureExtractor<Net, B> extractor(context, backbone, adtr::Padding::symmetric, adtr::Pooling::bilinear);
  adtr::Model<Net, B> model(context, std::move(extractor), trained);
  std::vector<float> scores(Net::Features::positions);
  model.position_scores(adtr::map_view<Net::Image>(image, 1), scores);
  return scores;
}

}  // namespace

int main() {
  std::printf("%td parameters, %.1f million multiply-accumulates per image\n", Net::parameters,
              static_cast<double>(Net::macs) / 1e6);

  adtr::Buffer<float> memory(adtr::parameter_count<Layers>), trained_memory(adtr::parameter_count<Trained>);
  auto backbone = adtr::bind_parameters<Layers>(memory.data());
  auto trained = adtr::bind_parameters<Trained>(trained_memory.data());
  RandomWeights weights;
  adtr::walk_parameters(backbone, "", weights);
  adtr::walk_parameters(trained, "", weights);
  adtr::Buffer<float> image(Net::Image::size);
  weights.fill(image.data(), image.size(), 1.0);

  const auto fast = position_scores<adtr::Cpu>(backbone, trained, image.data());
  const auto exact = position_scores<adtr::Reference<float>>(backbone, trained, image.data());
  float difference = 0.0F;
  for (std::size_t i = 0; i < fast.size(); ++i) difference = std::max(difference, std::abs(fast[i] - exact[i]));
  const float largest = *std::max_element(exact.begin(), exact.end());
  std::printf("the two backends differ by at most %.1e of the largest score, %.4g\n",
              static_cast<double>(difference / largest), static_cast<double>(largest));
  return difference < 1e-4F * largest ? 0 : 1;
}
