#include "networks.hpp"

#include <chrono>

#include "neighbours.hpp"
#include "run_cell.hpp"

namespace paper {

void run_paper_network(Results& results, const Cell& cell, adtr::Index curve) {
  run_with(PaperNetworks{}, results, cell, curve);
}

PaperDetector load_detector(const std::string& model, int threads) { return PaperDetector::load(model, threads); }

Json neighbours_row(const Cell& cell, const std::string& architecture, adtr::Index bank) {
  const adtr::TrainingRequest& r = cell.request;
  const auto fitting = adtr::parse_architecture(cell.backbone).architecture;
  return adtr::select_network(PaperNetworks{}, fitting, r.image_size, r.grid, [&]<class N>() {
    const auto begin = std::chrono::steady_clock::now();
    Neighbours<N> neighbours(cell.weights, architecture, r.good.samples, r.options.pooling, bank, r.options.seed,
                             r.threads);
    Json row = new_row(cell);
    row["seconds_training"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    row["figures"] = figures_of(neighbours, cell);
    row["state"] = "done";
    return row;
  });
}

}  // namespace paper
