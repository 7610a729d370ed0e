#include <cstdio>

#include "networks.hpp"
#include "request.hpp"

namespace paper {

void run_neighbours(const Options& options, adtr::Index bank) {
  Results results(options.out);
  for (const auto& category : categories(options.data))
    for (const std::string& weights : options.backbones)
      for (const std::uint64_t seed : options.seeds) {
        Cell cell;
        cell.experiment = "mvtec";
        cell.set = name_of_set(category);
        cell.system = "nearest neighbour";
        cell.origin["bank"] = bank;
        set_first_stage(cell, options, weights, seed);
        cell.request.options.epochs = 0;
        set_images(cell, category);
        if (const Json* row = results.find(key_of(cell), settings_of(cell)); row != nullptr) continue;
        const Json row = neighbours_row(cell, options.architecture, bank);
        results.put(row);
        std::fprintf(stderr, "%s  %s\n", key_of(cell).c_str(), row["figures"].dump().c_str());
      }
}

}  // namespace paper
