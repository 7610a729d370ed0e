// Computes the best possible times of the CUDA backend on an H100 (SXM): for each operation of ADTR-B4 at 256×256, the
// launches, the arithmetic, the memory traffic and the roofline time. The library itself calls the operations.
//   cuda_plan            prints tables in Markdown
//   cuda_plan --check    compares the products with the network's own count of multiply-adds
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "adtr/models/catalogue.hpp"
#include "adtr/models/model.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"
#include "counting.hpp"

namespace {

using adtr::Index;
using cuda_plan::Counting;
using Net = adtr::Network<adtr::Architecture::efficientnet_b4>::type;

/// NVIDIA's figures for dense products on the H100 SXM.
constexpr double bandwidth = 3.35e12, float32 = 67e12, tf32 = 494.7e12, bf16 = 989.4e12;

/// Seconds of a call whose products run at `rate` and all other arithmetic in float.
double seconds(const cuda_plan::Call& call, double rate) {
  return std::max(call.flop / (call.product ? rate : float32), call.bytes / bandwidth);
}

void print(const char* title, const Counting::Context& context, Index images) {
  std::printf("%s:\n\n| operation | calls | launches | GFLOP | MB | µs, float | µs, TF32 | µs, BF16 |\n", title);
  std::printf("|---|---|---|---|---|---|---|---|\n");
  cuda_plan::Cost all;
  double times[3] = {};
  for (const auto& [name, cost] : *context.ledger) {
    double own[3] = {};
    for (const auto& [operation, call] : *context.calls)
      if (operation == name)
        for (int i = 0; i < 3; ++i) own[i] += 1e6 * seconds(call, i == 0 ? float32 : i == 1 ? tf32 : bf16);
    std::printf("| %s | %td | %td | %.3f | %.1f | %.1f | %.1f | %.1f |\n", name.c_str(), cost.calls, cost.launches,
                1e-9 * cost.flop, 1e-6 * cost.bytes, own[0], own[1], own[2]);
    all.calls += cost.calls;
    all.launches += cost.launches;
    all.flop += cost.flop;
    all.bytes += cost.bytes;
    for (int i = 0; i < 3; ++i) times[i] += own[i];
  }
  std::printf("| all | %td | %td | %.3f | %.1f | %.1f | %.1f | %.1f |\n", all.calls, all.launches, 1e-9 * all.flop,
              1e-6 * all.bytes, times[0], times[1], times[2]);
  std::printf("\n%.0f, %.0f and %.0f images per second.\n\n", 1e6 * static_cast<double>(images) / times[0],
              1e6 * static_cast<double>(images) / times[1], 1e6 * static_cast<double>(images) / times[2]);
}

/// A detection of this number of images at a time.
Counting::Context detection(Index images) {
  using Layers = Net::Backbone::Layers;
  Counting::Context context;
  adtr::Buffer<float> frozen(adtr::parameter_count<Layers>), trained(adtr::parameter_count<adtr::TrainedTensors<Net>>);
  adtr::Model<Net, Counting> model(
      context,
      {context, adtr::bind_parameters<Layers>(frozen.data()), adtr::Padding::same, adtr::Pooling::bilinear, images},
      adtr::bind_parameters<adtr::TrainedTensors<Net>>(trained.data()));
  context.ledger->clear();  // packing happens once
  context.calls->clear();
  adtr::Buffer<float> input(images * Net::Image::size);
  std::vector<float> scores(static_cast<std::size_t>(images * Net::Features::positions));
  model.position_scores(adtr::map_view<Net::Image>(static_cast<const float*>(input.data()), images), scores);
  return context;
}

Counting::Context training_step(Index images) {
  using Transformer = Net::Transformer;
  Counting::Context context;
  adtr::FeatureCache<float> cache(images, Transformer::tokens, Transformer::features, std::uint64_t{8} << 30);
  adtr::TrainingOptions options = adtr::training_options(adtr::Recipe::paper);
  options.batch = images;
  adtr::Trainer<Transformer, Counting> trainer(context, cache, options);
  trainer.run_epoch();
  return context;
}

/// Compares the products of a detection with Net::inference_macs, which counts them from the shapes of the layers.
int check() {
  const Counting::Context context = detection(1);
  double flop = 0.0;
  for (const char* name : {"multiply", "convolve", "depthwise", "attention"}) flop += context.ledger->at(name).flop;
  // The small layers of squeeze-and-excitation are products too; their means and scales are not.
  double excite = 0.0;
  for (const auto& [name, call] : *context.calls)
    if (name == "squeeze_excite") excite += call.flop;
  const double expected = 2.0 * static_cast<double>(Net::inference_macs);
  std::printf("products %.6f GFLOP, with squeeze-and-excitation %.6f; the network says %.6f\n", 1e-9 * flop,
              1e-9 * (flop + excite), 1e-9 * expected);
  return flop < expected && flop + excite > expected && flop > 0.99 * expected ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--check") == 0) return check();
  if (argc != 1) {
    std::fprintf(stderr, "usage: cuda_plan [--check]\n");
    return 2;
  }
  print("A detection, one image", detection(1), 1);
  print("A detection, 64 images at a time", detection(64), 64);
  print("A training step on 16 images with dropout", training_step(16), 16);
}
