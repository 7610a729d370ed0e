#include "neighbours.hpp"

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
        cell.request.good = adtr::scan_training(category);
        cell.test = adtr::scan_test(category);
        if (const Json* row = results.find(key_of(cell), settings_of(cell)); row != nullptr) continue;
        const auto architecture = adtr::parse_architecture(cell.backbone).architecture;
        adtr::select_network(PaperNetworks{}, architecture, 256, 16, [&]<class N>() {
          const auto begin = std::chrono::steady_clock::now();
          Neighbours<N> neighbours(weights, options.architecture, cell.request.good, bank, seed, options.threads);
          Json row = new_row(cell);
          row["seconds_training"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
          row["figures"] = figures_of(neighbours, cell);
          row["state"] = "done";
          results.put(row);
          std::fprintf(stderr, "%s  %s\n", key_of(cell).c_str(), row["figures"].dump().c_str());
          return true;
        });
      }
}

}  // namespace paper
