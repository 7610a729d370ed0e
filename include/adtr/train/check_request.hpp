/// Checks a TrainingRequest before the first image is read.
#pragma once

#include <cmath>
#include <string>

#include "adtr/train/check_options.hpp"
#include "adtr/train/hold_out.hpp"
#include "adtr/train/training_request.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Checks that each sample has a path or an image.
template <class Samples>
void check_samples(const Samples& samples, const char* field) {
  std::size_t number = 0;
  for (const Sample& sample : samples) {
    ++number;
    expect_option(sample.image != nullptr || !sample.path.empty(), field, "a path or an image in each sample",
                  "neither in sample " + std::to_string(number));
  }
}

/// Checks that the loss and the anomalies fit together.
inline void check_anomalies(const TrainingRequest& r) {
  const bool any = r.confetti || !r.defects.empty();
  const std::string loss = name_of(r.options.loss);
  if (any && r.options.loss == Loss::norm)
    throw Error("training with anomalies: expected the loss pixel or image, found " + loss, ErrorCode::option);
  if (!any && r.options.loss != Loss::norm)
    throw Error("training with the loss " + loss + ": expected confetti or defects, found neither", ErrorCode::option);
  if (r.options.loss != Loss::pixel) return;
  for (const Sample& sample : r.defects)
    if (!sample.mask)
      throw file_error(sample.path.string(),
                       "has no mask; training with the loss pixel needs one for each image with defects "
                       "(the loss image needs none)",
                       ErrorCode::bad_data);
}

}  // namespace detail

/// Throws Error with one sentence, naming the field and the value found, if a field of the request or of its options is
/// out of range or conflicts with another field. Reads no file.
inline void check(const TrainingRequest& r) {
  using detail::expect_option;
  check(r.options);
  expect_option(!r.out.empty(), "TrainingRequest::out", "the path of the model to write", "an empty path");
  if (r.start.empty() && r.weights.empty())
    throw Error("TrainingRequest::weights and start: expected a backbone or a model to start from, found neither",
                ErrorCode::option);
  if (!r.start.empty() && !r.weights.empty())
    throw Error("TrainingRequest::weights and start: expected a backbone or a model to start from, found both (" +
                    r.weights + ", " + r.start + ")",
                ErrorCode::option);
  expect_option(r.image_size >= 1, "TrainingRequest::image_size", "at least 1", r.image_size);
  expect_option(r.grid >= 1, "TrainingRequest::grid", "at least 1", r.grid);
  expect_option(r.false_alarm_rate >= 0.0 && r.false_alarm_rate < 1.0, "TrainingRequest::false_alarm_rate",
                "at least 0 and less than 1", r.false_alarm_rate);
  expect_option(r.checkpoint_seconds >= 0.0, "TrainingRequest::checkpoint_seconds", "seconds from 0",
                r.checkpoint_seconds);
  expect_option(r.snapshot_epochs >= 0, "TrainingRequest::snapshot_epochs", "at least 0", r.snapshot_epochs);
  expect_option(r.threads >= 0, "TrainingRequest::threads", "at least 0", Index{r.threads});
  expect_option(!r.good.empty(), "TrainingRequest::good", "images", "none");
  if (r.hold_out) static_cast<void>(held_out_of(r.good.size(), *r.hold_out));
  detail::check_samples(r.good, "TrainingRequest::good");
  detail::check_samples(r.defects, "TrainingRequest::defects");
  detail::check_anomalies(r);
}

}  // namespace ADTR_ABI
}  // namespace adtr
