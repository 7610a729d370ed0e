/// Checks the values of TrainingOptions before anything is computed: a bad value causes a clear error, not a crash, an
/// untrained model or a failure after the last epoch.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/models/description.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Throws Error(option), `field: expected ..., found ...`, unless `holds`.
inline void expect_option(bool holds, const char* field, const char* expected, const std::string& found) {
  if (!holds) throw Error(std::string(field) + ": expected " + expected + ", found " + found, ErrorCode::option);
}
inline void expect_option(bool holds, const char* field, const char* expected, double found) {
  expect_option(holds, field, expected, number_text(found));
}
inline void expect_option(bool holds, const char* field, const char* expected, Index found) {
  expect_option(holds, field, expected, std::to_string(found));
}

/// A limit far above any real run, which keeps step numbers far below the largest Index.
inline constexpr Index max_epochs = 1'000'000'000;

}  // namespace detail

/// Throws Error(option) with one sentence, naming the field and the value found, if an option is out of range. The
/// comparisons are written so that NaN fails them.
inline void check(const TrainingOptions& o) {
  using detail::expect_option;
  const auto from_0 = [](double x) { return std::isfinite(x) && x >= 0.0; };
  const auto share = [](double x) { return x >= 0.0 && x <= 1.0; };
  expect_option(o.recipe == Recipe::fast || o.recipe == Recipe::paper, "TrainingOptions::recipe", "fast or paper",
                "the value " + std::to_string(static_cast<int>(o.recipe)));
  expect_option(o.loss == Loss::norm || o.loss == Loss::pixel || o.loss == Loss::image, "TrainingOptions::loss",
                "norm, pixel or image", "the value " + std::to_string(static_cast<int>(o.loss)));
  expect_option(o.epochs >= 1 && o.epochs <= detail::max_epochs, "TrainingOptions::epochs", "1 to 1000000000",
                o.epochs);
  expect_option(o.batch >= 1, "TrainingOptions::batch", "at least 1", o.batch);
  expect_option(std::isfinite(o.learning_rate) && o.learning_rate > 0.0, "TrainingOptions::learning_rate",
                "a number above 0", o.learning_rate);
  expect_option(from_0(o.weight_decay), "TrainingOptions::weight_decay", "a number from 0", o.weight_decay);
  expect_option(o.dropout >= 0.0 && o.dropout < 1.0, "TrainingOptions::dropout", "at least 0 and less than 1",
                o.dropout);
  expect_option(from_0(o.clip), "TrainingOptions::clip", "a number from 0", o.clip);
  expect_option(from_0(o.jitter), "TrainingOptions::jitter", "a number from 0", o.jitter);
  expect_option(share(o.full_rate_share), "TrainingOptions::full_rate_share", "0 to 1", o.full_rate_share);
  expect_option(from_0(o.alpha), "TrainingOptions::alpha", "a number from 0", o.alpha);
  expect_option(o.top_k >= 1, "TrainingOptions::top_k", "at least 1", o.top_k);
  expect_option(share(o.anomaly_probability), "TrainingOptions::anomaly_probability", "0 to 1", o.anomaly_probability);
}

/// Also checks the options against a network with `tokens` tokens: Loss::image cannot average more distances than there
/// are tokens.
inline void check(const TrainingOptions& o, Index tokens) {
  check(o);
  if (o.loss == Loss::image && o.top_k > tokens)
    throw Error("TrainingOptions::top_k: expected at most the network's " + std::to_string(tokens) + " tokens, found " +
                    std::to_string(o.top_k),
                ErrorCode::option);
}

}  // namespace ADTR_ABI
}  // namespace adtr
