/// The fields of TrainingOptions, one row each: its range, its name in checkpoints and in a model's notes, and what a
/// run that cannot resume says about it. A new field is a member of TrainingOptions and a row here.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "adtr/core/number_text.hpp"
#include "adtr/train/recipe.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// A limit far above any real run, which keeps step numbers far below the largest Index.
inline constexpr Index max_epochs = 1'000'000'000;

// NaN fails these comparisons.
inline bool at_least_0(double x) { return std::isfinite(x) && x >= 0.0; }
inline bool from_0_to_1(double x) { return x >= 0.0 && x <= 1.0; }

/// One field of TrainingOptions.
struct TrainingField {
  using Options = TrainingOptions;
  using Member = std::variant<Index Options::*, double Options::*, std::uint64_t Options::*, Recipe Options::*,
                              Loss Options::*, Pooling Options::*>;

  std::string_view key;  ///< `learning-rate` for learning_rate
  Member member;
  const char* expected;                          ///< the range in words; unused without in_range
  bool (*in_range)(const Options&) = nullptr;    ///< NaN must fail it; null: every value is good
  bool (*influences)(const Options&) = nullptr;  ///< whether the run depends on the field; null: always
  /// For a checkpoint with another value; {was} and {is} stand for the two values. Empty: the usual sentence.
  std::string_view difference{};

  [[nodiscard]] std::string name() const {
    std::string name = "TrainingOptions::" + std::string(key);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
  }

  /// The value as checkpoints and notes hold it.
  [[nodiscard]] std::string text(const Options& o) const {
    return std::visit(
        [&](auto field) -> std::string {
          using T = std::remove_cvref_t<decltype(o.*field)>;
          if constexpr (std::is_same_v<T, double>)
            return number_text(o.*field);
          else if constexpr (std::is_enum_v<T>)
            return name_of(o.*field);
          else
            return std::to_string(o.*field);
        },
        member);
  }

  /// The value as an error shows it: an enumeration that is out of range has no name.
  [[nodiscard]] std::string found(const Options& o) const {
    return std::visit(
        [&](auto field) -> std::string {
          if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(o.*field)>>)
            return "the value " + std::to_string(static_cast<int>(o.*field));
          else
            return text(o);
        },
        member);
  }

  [[nodiscard]] std::string difference_text() const {
    return difference.empty() ? "was made with --" + std::string(key) + " {was}, this run has {is}"
                              : std::string(difference);
  }
};

/// All fields. A difference to a checkpoint is looked for in this order.
[[nodiscard]] inline std::span<const TrainingField> training_fields() {
  using O = TrainingOptions;
  constexpr auto with_anomalies = [](const O& o) { return o.loss != Loss::norm; };
  static const std::array<TrainingField, 16> fields{{
      {"recipe", &O::recipe, "fast or paper",
       [](const O& o) { return o.recipe == Recipe::fast || o.recipe == Recipe::paper; }},
      {"epochs", &O::epochs, "1 to 1000000000", [](const O& o) { return o.epochs >= 1 && o.epochs <= max_epochs; }},
      {"batch", &O::batch, "at least 1", [](const O& o) { return o.batch >= 1; }},
      {"learning-rate", &O::learning_rate, "a number above 0",
       [](const O& o) { return std::isfinite(o.learning_rate) && o.learning_rate > 0.0; }},
      {"weight-decay", &O::weight_decay, "a number from 0", [](const O& o) { return at_least_0(o.weight_decay); }},
      {"dropout", &O::dropout, "at least 0 and less than 1",
       [](const O& o) { return o.dropout >= 0.0 && o.dropout < 1.0; }},
      {"clip", &O::clip, "a number from 0", [](const O& o) { return at_least_0(o.clip); }},
      {"jitter", &O::jitter, "a number from 0", [](const O& o) { return at_least_0(o.jitter); }},
      {"bank", &O::bank, "0 or more", [](const O& o) { return o.bank >= 0; }},
      {"pooling", &O::pooling, "bilinear or area",
       [](const O& o) { return o.pooling == Pooling::bilinear || o.pooling == Pooling::area; }},
      {"seed", &O::seed, "any number"},
      {"loss", &O::loss, "norm, pixel or image",
       [](const O& o) { return o.loss == Loss::norm || o.loss == Loss::pixel || o.loss == Loss::image; }, nullptr,
       "was made with the loss {was}, this run has {is}"},
      {"full-rate-share", &O::full_rate_share, "0 to 1", [](const O& o) { return from_0_to_1(o.full_rate_share); },
       [](const O& o) { return o.recipe == Recipe::paper; },
       "was made with a share of {was} of the epochs at the full learning rate, this run has {is}"},
      {"alpha", &O::alpha, "a number from 0", [](const O& o) { return at_least_0(o.alpha); }, with_anomalies},
      {"anomaly-probability", &O::anomaly_probability, "0 to 1",
       [](const O& o) { return from_0_to_1(o.anomaly_probability); }, with_anomalies},
      {"top-k", &O::top_k, "at least 1", [](const O& o) { return o.top_k >= 1; },
       [](const O& o) { return o.loss == Loss::image; }},
  }};
  return fields;
}

}  // namespace detail

}  // namespace ADTR_ABI
}  // namespace adtr
