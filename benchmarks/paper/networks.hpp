/// What the experiments do with the networks of 256×256 images that the paper takes, compiled once, in networks.cpp.
#pragma once

#include "adtr/detector.hpp"
#include "cell.hpp"

namespace paper {

/// What the paper and its ablations take as backbones for 256×256 images.
using PaperNetworks =
    adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_b4>,
                   adtr::Network<adtr::Architecture::efficientnet_b0>,
                   adtr::Network<adtr::Architecture::efficientnet_lite0>, adtr::Network<adtr::Architecture::resnet18>>;

/// Runs the cell (run_cell) with the one that fits it.
void run_paper_network(Results& results, const Cell& cell, adtr::Index curve);

using PaperDetector = adtr::Detector<adtr::Cpu, PaperNetworks>;
[[nodiscard]] PaperDetector load_detector(const std::string& model, int threads);

/// The finished row of the nearest-neighbour score on the cell's features (Neighbours).
[[nodiscard]] Json neighbours_row(const Cell& cell, const std::string& architecture, adtr::Index bank);

}  // namespace paper
