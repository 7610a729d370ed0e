/// The experiments of the paper as commands of adtr_paper.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adtr/train/training_request.hpp"
#include "training_changes.hpp"

namespace paper {

/// The options of every experiment. An option is a field here, or one of TrainingRequest or TrainingOptions, and a row
/// in main.cpp.
struct Options {
  adtr::TrainingRequest request;     ///< what all runs have in common, without images and weights
  program::TrainingChanges changes;  ///< the fields of request.options that were given
  std::string data, out;
  std::vector<std::string> backbones;  ///< weights files
  std::string architecture;            ///< used if a weights file does not name its own
  std::optional<adtr::Index> epochs_plus;
  std::vector<std::uint64_t> seeds{0};
  adtr::Index curve = 0;
};

/// Trains and measures ADTR, and ADTR+ with confetti, on every category under `data` (or on `data` itself, if it is
/// one).
void run_mvtec(const Options& options, bool plus);

/// Measures the nearest-neighbour score on the same features, for every category. Keeps `bank` features, or all if it
/// is 0.
void run_neighbours(const Options& options, adtr::Index bank);

inline constexpr adtr::Index cifar_batch = 128;  ///< if --batch is not given

struct CifarOptions : Options {
  std::string cifar100;  ///< folder of train.bin; empty: no ADTR+
  std::vector<std::string> classes;
  std::optional<std::size_t> images;  ///< number of images of the class to train with; all if not given
  std::uint64_t test_seed = 0;
};

/// Trains on one class of CIFAR-10 and tests against the others: ADTR, and ADTR+ with images of CIFAR-100.
void run_cifar(const CifarOptions& options);

/// Runs the paper's ablations on one category.
void run_ablations(const Options& options);

/// Writes samples of confetti (figure 3), and sample, ground truth and map side by side (figure 4), as PNG.
void make_figures(const Options& options, const std::string& model);

}  // namespace paper
