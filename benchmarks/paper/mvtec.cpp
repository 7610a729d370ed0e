#include "networks.hpp"
#include "request.hpp"

namespace paper {

void run_mvtec(const Options& options, bool plus) {
  Results results(options.out);
  for (const auto& category : categories(options.data))
    for (const std::string& weights : options.backbones)
      for (const std::uint64_t seed : options.seeds) {
        Cell cell;
        cell.experiment = "mvtec";
        cell.set = name_of_set(category);
        cell.system = "ADTR";
        cell.paper_image = 0.964;
        cell.paper_pixel = 0.972;
        set_first_stage(cell, options, weights, seed);
        set_images(cell, category);
        run_paper_network(results, cell, options.curve);
        if (!plus) continue;
        cell.paper_image = 0.969;
        cell.paper_pixel = 0.975;
        set_second_stage(cell, options, model_file(results, cell), adtr::Loss::pixel);
        cell.request.confetti = true;
        run_paper_network(results, cell, options.curve);
      }
}

}  // namespace paper
