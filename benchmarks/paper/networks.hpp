/// The functions of the experiments for the paper's networks on 256×256 images, compiled once, in networks.cpp.
#pragma once

#include "adtr/detector.hpp"
#include "cell.hpp"

namespace paper {

/// The backbones of the paper and its ablations, for 256×256 images.
using PaperNetworks =
    adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_b4>,
                   adtr::Network<adtr::Architecture::efficientnet_b0>,
                   adtr::Network<adtr::Architecture::efficientnet_lite0>, adtr::Network<adtr::Architecture::resnet18>>;

/// Runs the cell (run_cell) with its network.
void run_paper_network(Results& results, const Cell& cell, adtr::Index curve);

using PaperDetector = adtr::Detector<adtr::Cpu, PaperNetworks>;
[[nodiscard]] PaperDetector load_detector(const std::string& model, int threads);

/// The finished row of the nearest-neighbour score on the cell's features (Neighbours).
[[nodiscard]] Json neighbours_row(const Cell& cell, const std::string& architecture, adtr::Index bank);

}  // namespace paper
