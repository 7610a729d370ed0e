/// Fields of TrainingOptions that a command line gives. Its order is free, so they are kept until the recipe is known,
/// which decides the fields that nobody gave.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "adtr/train/recipe.hpp"

namespace program {

class TrainingChanges {
 public:
  template <class T>
  void set(T adtr::TrainingOptions::*field, T value) {
    changes_.push_back([=](adtr::TrainingOptions& options) { options.*field = value; });
  }

  /// Returns `options` with the fields that were given.
  [[nodiscard]] adtr::TrainingOptions applied_to(adtr::TrainingOptions options) const {
    for (const auto& change : changes_) change(options);
    return options;
  }

 private:
  std::vector<std::function<void(adtr::TrainingOptions&)>> changes_;
};

}  // namespace program
