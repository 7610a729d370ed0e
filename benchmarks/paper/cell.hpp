/// One cell of a results table: a model that is trained and measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adtr/train/training_request.hpp"
#include "output.hpp"
#include "results.hpp"

namespace paper {

/// The model to train, the data to measure it on, and the names in the table.
struct Cell {
  std::string experiment;                          ///< "mvtec", "cifar", "ablations"
  std::string set;                                 ///< "screw", "automobile"
  std::string system;                              ///< "ADTR", "ADTR+", "without query"
  std::optional<double> paper_image, paper_pixel;  ///< the AUROCs that the paper reports, as fractions
  std::string weights, backbone;                   ///< weights file and architecture
  adtr::TrainingRequest request;                   ///< the rest is set by run_cell
  adtr::SampleSet test;
  Json origin;  ///< everything else that decides the figures: folders, seeds of drawn images
};

/// The key of a row: experiment/set/system/backbone/N epochs/seed N; with two stages, N+N epochs.
[[nodiscard]] std::string key_of(const Cell& cell);

/// Everything that decides a cell's figures.
[[nodiscard]] Json settings_of(const Cell& cell);

/// The cell's model in the folder of the results.
[[nodiscard]] std::string model_file(const Results& results, const Cell& cell);

/// A row without figures.
[[nodiscard]] Json new_row(const Cell& cell);

/// Progress of a cell, with an estimate, on one line.
[[nodiscard]] adtr::TrainingProgress progress_on(program::ProgressLine& line, const std::string& key);

}  // namespace paper
