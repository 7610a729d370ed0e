/// Writes the output of the commands: JSON and maps, atomically; names and numbers as text; progress.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "adtr/data/image.hpp"
#include "adtr/data/sample_set.hpp"
#include "adtr/detector.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/file_plan.hpp"
#include "adtr/packages/xtensor.hpp"
#include "adtr/report/heat_map.hpp"
#include "say.hpp"

namespace program {

using Json = nlohmann::ordered_json;

/// The same text as printf would print.
[[nodiscard, gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

/// A file's name in JSON: as it is where it is UTF-8, else with its other bytes as \xNN, so that it stays distinct.
[[nodiscard]] Json json_name(const std::filesystem::path& path);

/// What scans left out or let through, as it stands in every JSON file.
[[nodiscard]] Json json_of(const std::vector<adtr::LeftOut>& left_out);
[[nodiscard]] Json json_of(const std::vector<std::string>& sentences);

/// Says on stderr what a scan left out, and what --allow let through.
void say_what_was_left(const adtr::SampleSet& set);

/// The false-alarm rate that a model's threshold is not above with 95 % confidence, from its notes.
[[nodiscard]] std::optional<double> false_alarm_bound(const adtr::ModelDescription& description);

/// Throws Error where a file could not be written: better before an hour's work than after. An empty path is none.
void require_writable(const std::string& path);

/// Writes `json`, an object, behind a first member "adtr" that names the program and the command.
void write_json(const std::string& path, const std::string& command, const Json& json);

/// A JSON array that is written item by item, so that it needs no memory: a temporary file until commit(). An empty
/// path writes nothing.
class JsonList {
 public:
  explicit JsonList(const std::string& path);
  void add(const Json& item);
  void commit();

 private:
  std::optional<adtr::AtomicFile> file_;
  bool first_ = true;
};

/// Scores of pixels, (H, W).
using ScoreMap = xt::xtensor<float, 2, xt::layout_type::row_major>;

/// Score maps and overlays in a folder.
class MapWriter {
 public:
  /// An empty folder writes nothing.
  explicit MapWriter(std::string folder) : folder_(std::move(folder)) {}

  /// Names the maps of an image `folder/name.npy` and `folder/name.png`; throws Error where two images have the same
  /// name. To be called for all images first.
  void claim(const std::string& name, const std::filesystem::path& image);
  /// Adds all files that will be written to the plan.
  void add_to(adtr::FilePlan& plan) const;
  /// Makes the folders of all names. Throws Error where that fails.
  void make_folders() const;
  /// The raw scores, float32 (H, W).
  void write_scores(const std::string& name, const adtr::Detection& detection) const;
  /// The overlay on the resized image.
  void write_picture(const std::string& name, const ScoreMap& map, const adtr::Image& resized,
                     adtr::HeatScale scale) const;
  /// What write_scores() wrote.
  [[nodiscard]] ScoreMap read_scores(const std::string& name) const;
  /// Whether anything is written.
  [[nodiscard]] bool active() const { return !folder_.empty(); }

 private:
  [[nodiscard]] std::string path(const std::string& name, const char* extension) const;

  std::string folder_;
  std::map<std::string, std::filesystem::path> images_;
};

/// The colour scale that a model brings.
[[nodiscard]] adtr::HeatScale scale_of(const adtr::ModelDescription& description);

/// The heat map over the image that it was made from.
[[nodiscard]] adtr::Image heat_map(const ScoreMap& map, const adtr::Image& resized, adtr::HeatScale scale);

/// Progress on stderr: one line that is written again on a terminal, lines elsewhere.
class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();
  /// Seen on terminals only.
  void update(const std::string& line);
  /// Stays.
  void finish(const std::string& line);
  /// Leaves nothing on a terminal.
  void clear();

 private:
  bool terminal_;
  bool open_ = false;
};

}  // namespace program
