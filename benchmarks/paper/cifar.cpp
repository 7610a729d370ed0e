#include "adtr/data/cifar.hpp"

#include "request.hpp"
#include "run_cell.hpp"

namespace paper {

namespace {

using adtr::Architecture;
using Nets = adtr::Networks<adtr::Network<Architecture::efficientnet_b4, 32, 8>,
                            adtr::Network<Architecture::efficientnet_lite0, 32, 8>,
                            adtr::Network<Architecture::resnet18, 32, 8>>;

}  // namespace

void run_cifar(const CifarOptions& options) {
  Results results(options.out);
  for (const std::string& name : options.classes)
    for (const std::string& weights : options.backbones)
      for (const std::uint64_t seed : options.seeds) {
        Cell cell;
        cell.experiment = "cifar";
        cell.set = name;
        cell.system = "ADTR";
        cell.paper_image = 0.947;
        set_first_stage(cell, options, weights, seed);
        cell.request.options.batch = cifar_batch;
        cell.request.options = options.changes.applied_to(cell.request.options);
        cell.request.image_size = 32;
        cell.request.grid = 8;
        cell.request.good = adtr::cifar10_training(options.data, name);
        std::vector<adtr::Sample>& good = cell.request.good.samples;
        if (options.images && *options.images < good.size()) good.resize(*options.images);
        cell.test = adtr::cifar10_test(options.data, name, options.test_seed);
        cell.origin["test_seed"] = options.test_seed;
        run_with(Nets{}, results, cell, options.curve);
        if (options.cifar100.empty()) continue;
        cell.paper_image = 0.961;
        set_second_stage(cell, options, model_file(results, cell), adtr::Loss::image);
        cell.request.defects = adtr::cifar100_anomalies(options.cifar100, cell.request.good.size(), seed);
        run_with(Nets{}, results, cell, options.curve);
      }
}

}  // namespace paper
