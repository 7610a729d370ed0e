/// Checks the values of TrainingOptions before anything is computed: a bad value causes a clear error, not a crash, an
/// untrained model or a failure after the last epoch.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "adtr/models/description.hpp"
#include "adtr/train/training_fields.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Throws Error(option), `field: expected ..., found ...`, unless `holds`.
inline void expect_option(bool holds, const std::string& field, const char* expected, const std::string& found) {
  if (!holds) throw Error(field + ": expected " + expected + ", found " + found, ErrorCode::option);
}
inline void expect_option(bool holds, const std::string& field, const char* expected, double found) {
  expect_option(holds, field, expected, number_text(found));
}
inline void expect_option(bool holds, const std::string& field, const char* expected, Index found) {
  expect_option(holds, field, expected, std::to_string(found));
}

}  // namespace detail

/// Throws Error(option) with one sentence, naming the field and the value found, if an option is out of range.
inline void check(const TrainingOptions& o) {
  for (const detail::TrainingField& field : detail::training_fields())
    if (field.in_range != nullptr)
      detail::expect_option(field.in_range(o), field.name(), field.expected, field.found(o));
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
