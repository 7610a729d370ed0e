/// One cell of a results table: a model trained, and measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adtr/train/training_request.hpp"
#include "output.hpp"
#include "results.hpp"

namespace paper {

/// What is trained, on what it is measured, and under which names it goes into the table.
struct Cell {
  std::string experiment;                          ///< "mvtec", "cifar", "ablations"
  std::string set;                                 ///< "screw", "automobile"
  std::string system;                              ///< "ADTR", "ADTR+", "without query"
  std::optional<double> paper_image, paper_pixel;  ///< what the paper reports, as fractions
  std::string weights, backbone;                   ///< weights file and architecture
  adtr::TrainingRequest request;                   ///< the rest is set by run_cell
  adtr::SampleSet test;
  Json origin;  ///< what else decides the figures: folders, drawn seeds
};

/// A row's key: experiment/set/system/backbone/N epochs/seed N; with two stages N+N epochs.
[[nodiscard]] std::string key_of(const Cell& cell);

/// Everything that decides a cell's figures.
[[nodiscard]] Json settings_of(const Cell& cell);

/// The cell's model in the folder of the results.
[[nodiscard]] std::string model_file(const Results& results, const Cell& cell);

/// A row before anything is measured.
[[nodiscard]] Json new_row(const Cell& cell);

/// Progress of a cell, with an estimate, on one line.
[[nodiscard]] adtr::TrainingProgress progress_on(program::ProgressLine& line, const std::string& key);

}  // namespace paper
