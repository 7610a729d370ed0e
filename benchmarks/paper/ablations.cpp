#include "networks.hpp"
#include "request.hpp"
#include "run_cell.hpp"

namespace paper {

namespace {

using adtr::Architecture;
using adtr::Mixing;
using adtr::Taps;
using adtr::TransformerSpec;

/// The whole network, over any of the paper's backbones.
void run_full(Results& results, Cell cell, double paper_pixel, adtr::Index curve) {
  cell.system = "full";
  cell.paper_pixel = paper_pixel;
  run_paper_network(results, cell, curve);
}

/// A variant that is compiled here, and the pixel AUROC that the paper reports for it.
template <class N>
void run_variant(Results& results, Cell cell, const char* name, double paper_pixel, adtr::Index curve) {
  cell.system = name;
  cell.paper_pixel = paper_pixel;
  run_cell<N>(results, cell, curve);
}

/// The ablations of the paper use EfficientNet-B4; this program has them for B4 and Lite0.
template <Architecture A>
void run_variants(Results& results, const Cell& cell, adtr::Index curve) {
  constexpr TransformerSpec cnn{.mixing = Mixing::convolution}, alone{.mixing = Mixing::none}, no_query{.query = false};
  run_full(results, cell, 0.972, curve);
  run_variant<adtr::Network<A, 256, 16, no_query>>(results, cell, "without query", 0.942, curve);
  run_variant<adtr::Network<A, 256, 16, alone>>(results, cell, "without attention", 0.948, curve);
  run_variant<adtr::Network<A, 256, 16, cnn>>(results, cell, "CNN", 0.944, curve);
  run_variant<adtr::Network<A, 256, 16, TransformerSpec{}, Taps::last>>(results, cell, "last layer only", 0.960, curve);
}

/// A weights file without tensors: pixels have no backbone.
std::string pixels_file(const Results& results) {
  const std::string path = (results.folder() / "pixels.safetensors").string();
  adtr::write_safetensors(path, {}, {{"architecture", "pixels"}});
  return path;
}

}  // namespace

void run_ablations(const Options& options) {
  Results results(options.out);
  const std::filesystem::path data(options.data);
  for (const std::uint64_t seed : options.seeds) {
    Cell cell;
    cell.experiment = "ablations";
    cell.set = name_of_set(data);
    set_images(cell, data);
    const adtr::SampleSet good = cell.request.good;
    for (const std::string& weights : options.backbones) {
      set_first_stage(cell, options, weights, seed);
      cell.request.good = good;
      const Architecture a = architecture_of(options, weights).architecture;
      if (a == Architecture::efficientnet_b4) {
        run_variants<Architecture::efficientnet_b4>(results, cell, options.curve);
      } else if (a == Architecture::efficientnet_lite0) {
        run_variants<Architecture::efficientnet_lite0>(results, cell, options.curve);
      } else if (a == Architecture::resnet34) {
        run_variant<adtr::Network<Architecture::resnet34>>(results, cell, "full", 0.957, options.curve);
      } else {
        run_full(results, cell, a == Architecture::resnet18 ? 0.953 : 0.964, options.curve);
      }
    }
    set_first_stage(cell, options, pixels_file(results), seed);
    cell.request.good = good;
    run_variant<adtr::Network<Architecture::pixels>>(results, cell, "pixels", 0.913, options.curve);
  }
}

}  // namespace paper
