#include "output.hpp"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

#include <xtensor/xnpy.hpp>

#include "adtr/weights/atomic_file.hpp"

namespace program {

std::string text(const char* format, ...) {
  std::va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  std::string result(static_cast<std::size_t>(length), '\0');
  std::vsnprintf(result.data(), result.size() + 1, format, again);
  va_end(again);
  va_end(arguments);
  return result;
}

void require_writable(const std::string& path) {
  if (!path.empty()) adtr::AtomicFile{path};
}

void write_json(const std::string& path, const Json& json) {
  if (path.empty()) return;
  adtr::AtomicFile file(path);
  // File names need not be UTF-8; JSON must be.
  file.write(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  file.commit();
}

adtr::HeatScale scale_of(const adtr::ModelDescription& description) {
  return {static_cast<float>(description.colour_low), static_cast<float>(description.colour_high)};
}

adtr::Image heat_map(const adtr::Detection& detection, const adtr::Image& resized, adtr::HeatScale scale) {
  adtr::Image picture(resized.height, resized.width);
  picture.data = adtr::overlay(resized.data, {detection.map.data(), detection.map.size()}, detection.map.shape(0),
                               detection.map.shape(1), scale);
  return picture;
}

void MapWriter::claim(const std::string& name, const std::filesystem::path& image) {
  if (folder_.empty()) return;
  const auto [other, fresh] = images_.emplace(name, image);
  if (!fresh)
    throw adtr::file_error(image.string(), "its map would have the same name as that of " + other->second.string());
}

void MapWriter::make_folders() const {
  for (const auto& [name, image] : images_) {
    const std::filesystem::path folder = (std::filesystem::path(folder_) / name).parent_path();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw adtr::file_error(folder.string(), "cannot be made: " + error.message());
  }
}

void MapWriter::write(const std::string& name, const adtr::Detection& detection, const adtr::Image& resized) const {
  if (folder_.empty()) return;
  const std::string path = (std::filesystem::path(folder_) / name).string();
  adtr::AtomicFile scores(path + ".npy");
  scores.write(xt::dump_npy(detection.map));
  scores.commit();
  adtr::write_png(path + ".png", heat_map(detection, resized, scale_));
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (open_) std::fputc('\n', stderr);
}

void ProgressLine::update(const std::string& line) {
  if (!terminal_) return;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  open_ = true;
}

void ProgressLine::finish(const std::string& line) {
  std::fprintf(stderr, "%s%s\n", terminal_ ? "\r\033[K" : "", line.c_str());
  open_ = false;
}

void ProgressLine::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

}  // namespace program
