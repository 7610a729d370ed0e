/// The results of adtr_paper, which are written to disk after every step, so that a killed run can continue.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace paper {

using Json = nlohmann::ordered_json;

/// `folder`/results.json and, made from it, results.csv and results.md. A row is
/// {key, settings, state, commit, seconds_features, seconds_training, resumed, figures, curve, paper}; `state` is
/// "trained" (the model file is there) or "done" (the figures too), and `settings` decide all figures.
class Results {
 public:
  /// Reads the rows in `folder`, which is created if it is missing. Throws adtr::Error if results.json exists and was
  /// not written by adtr_paper, or if the folder cannot be written.
  explicit Results(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// The row of this key, or null. Throws adtr::Error if it was made with other settings, because it would be lost.
  [[nodiscard]] const Json* find(const std::string& key, const Json& settings) const;

  /// Adds the row, or replaces the one with its key, and writes all files.
  void put(const Json& row);

 private:
  std::filesystem::path folder_;
  std::vector<Json> rows_;
};

/// The rows as Markdown, with a table for each experiment that groups the seeds of the same settings; and as CSV.
[[nodiscard]] std::string markdown(const std::vector<Json>& rows);
[[nodiscard]] std::string csv(const std::vector<Json>& rows);

}  // namespace paper
