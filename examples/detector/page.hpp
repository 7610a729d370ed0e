/// The HTML page of an evaluation.
#pragma once

#include <string>
#include <vector>

#include "adtr/evaluate.hpp"
#include "adtr/report/heat_map.hpp"
#include "backends.hpp"
#include "options.hpp"

namespace program {

/// What is kept of each image until the page is made.
struct Scored {
  const adtr::Sample* sample;
  double score;
  bool defective;
};

/// Writes options.report. The few images that are shown go through the detector once more, so that memory does not grow
/// with the test set. All heat maps are coloured by `scale`; `remarks` are shown near the top.
void write_page(const EvaluateOptions& options, AnyDetector& detector, const adtr::Evaluation& evaluation,
                const std::vector<Scored>& images, const std::vector<std::string>& remarks, adtr::HeatScale scale);

}  // namespace program
