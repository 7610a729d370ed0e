// Runs one detection or one training step of a small network, whose instructions instructions.sh counts:
//   instructions detect|train
// The network is small because valgrind emulates every fused multiply-add in software: 0.2 to 0.4 GMAC take half a
// minute. EfficientNet-B0 on 128×128 pixels and one transformer layer of each kind run the kernels that larger networks
// run.
#include <cstdio>
#include <string_view>

#include "adtr/backend/cpu.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"

namespace {

using adtr::Index;
constexpr Index side = 128, grid = 8;
using Net = adtr::Adtr<adtr::BackboneOf<adtr::Architecture::efficientnet_b0, adtr::ImageShape<side, side>>,
                       adtr::Grid<grid, grid>, adtr::TransformerSpec{.layers = 1}>;

/// instructions.sh counts the instructions of this function.
template <class F>
[[gnu::noinline]] void counted_call(F& call) {
  call();
}

void detect() {
  using Layers = Net::Backbone::Layers;
  const adtr::Cpu::Context context(1);
  adtr::Buffer<float> frozen(adtr::parameter_count<Layers>);
  adtr::RandomStream random(1, 1);
  for (float& x : frozen.span()) x = static_cast<float>(0.1 * random.uniform() - 0.05);
  adtr::Buffer<float> memory(adtr::parameter_count<adtr::TrainedTensors<Net>>);
  auto trained = adtr::bind_parameters<adtr::TrainedTensors<Net>>(memory.data());
  adtr::initialise<Net::Transformer, float>(trained.transformer, 1);
  std::fill_n(trained.feature_std, Net::Features::channels, 1.0F);
  std::fill_n(trained.score_std, Net::Features::positions, 1.0F);
  adtr::Model<Net, adtr::Cpu> model(
      context,
      {context, adtr::bind_parameters<Layers>(frozen.data()), adtr::Padding::symmetric, adtr::Pooling::bilinear},
      trained);
  const std::vector<float> image(static_cast<std::size_t>(Net::Image::size), 0.5F);
  std::vector<float> scores(static_cast<std::size_t>(grid * grid)), pixels(static_cast<std::size_t>(side * side));
  adtr::ScoreMap<float> score_map(grid, side);
  const auto call = [&] {
    model.position_scores(adtr::map_view<Net::Image>(image.data(), 1), scores);
    score_map.upsample(scores, pixels);
  };
  counted_call(call);
}

void train() {
  using Transformer = Net::Transformer;
  adtr::FeatureCache<float> cache(1, Transformer::tokens, Transformer::features, std::uint64_t{1} << 30);
  adtr::RandomStream random(1, 2);
  for (Index i = 0; i < cache.rows().rows * cache.rows().cols; ++i)
    cache.rows().data[i] = static_cast<float>(2.0 * random.uniform() - 1.0);
  auto options = adtr::training_options(adtr::Recipe::paper);
  options.batch = 1;
  options.dropout = 0.1;
  adtr::Trainer<Transformer, adtr::Cpu> trainer(adtr::Cpu::Context(1), cache, options);
  auto parameters = trainer.parameters();
  adtr::initialise<Transformer, float>(parameters, 1);
  const auto call = [&] { trainer.run_epoch(); };
  counted_call(call);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view part = argc == 2 ? argv[1] : "";
  if (part != "detect" && part != "train") {
    std::fprintf(stderr, "usage: instructions detect|train\n");
    return 2;
  }
  part == "detect" ? detect() : train();
#if defined(__clang__)
  std::printf("clang++ %d.%d\n", __clang_major__, __clang_minor__);
#else
  std::printf("g++ %d.%d\n", __GNUC__, __GNUC_MINOR__);
#endif
}
