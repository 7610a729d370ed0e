/// What the commands write: JSON and maps, whole or not at all; a progress line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "adtr/data/image.hpp"
#include "adtr/detector.hpp"
#include "adtr/report/heat_map.hpp"

namespace program {

using Json = nlohmann::ordered_json;

/// The same text as printf would print.
[[nodiscard, gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

/// Throws Error where a file could not be written: better before an hour's work than after. An empty path is none.
void require_writable(const std::string& path);

void write_json(const std::string& path, const Json& json);

/// Score maps and overlays in a folder.
class MapWriter {
 public:
  /// An empty folder writes nothing.
  MapWriter(std::string folder, adtr::HeatScale scale) : folder_(std::move(folder)), scale_(scale) {}

  /// Names the maps of an image `folder/name.npy` and `folder/name.png`; throws Error where two images have the same
  /// name. To be called for all images first.
  void claim(const std::string& name, const std::filesystem::path& image);
  /// Makes the folders of all names. Throws Error where that fails.
  void make_folders() const;
  /// The raw scores, float32 (H, W), and the overlay on the resized image.
  void write(const std::string& name, const adtr::Detection& detection, const adtr::Image& resized) const;
  /// Whether anything is written.
  [[nodiscard]] bool active() const { return !folder_.empty(); }
  /// For what is written from now on.
  void set_scale(adtr::HeatScale scale) { scale_ = scale; }

 private:
  std::string folder_;
  adtr::HeatScale scale_;
  std::map<std::string, std::filesystem::path> images_;
};

/// The colour scale that a model brings.
[[nodiscard]] adtr::HeatScale scale_of(const adtr::ModelDescription& description);

/// The heat map over the image that it was made from.
[[nodiscard]] adtr::Image heat_map(const adtr::Detection& detection, const adtr::Image& resized, adtr::HeatScale scale);

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
