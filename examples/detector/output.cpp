#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <utility>

#if __has_include(<xtensor/io/xnpy.hpp>)
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xnpy.hpp>
#endif

#include "adtr/core/number_text.hpp"
#include "adtr/core/printable.hpp"
#include "adtr/io/atomic_file.hpp"
#include "adtr/io/json_text.hpp"

namespace program {

namespace {

const std::string version = std::to_string(ADTR_VERSION_MAJOR) + "." + std::to_string(ADTR_VERSION_MINOR) + "." +
                            std::to_string(ADTR_VERSION_PATCH);

}  // namespace

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

void say(const std::string& sentence) { std::fprintf(stderr, "adtr: %s\n", adtr::printable(sentence).c_str()); }

Json json_name(const std::filesystem::path& path) {
  const std::string name = path.string();
  return adtr::find_invalid_utf8(name) == std::string::npos ? name : adtr::printable(name);
}

Json json_of(const std::vector<adtr::LeftOut>& left_out) {
  Json list = Json::array();
  for (const adtr::LeftOut& part : left_out)
    list.push_back({{"reason", part.reason}, {"count", part.count}, {"example", json_name(part.example)}});
  return list;
}

Json json_of(const std::vector<std::string>& sentences) {
  Json list = Json::array();
  for (const std::string& sentence : sentences) list.push_back(adtr::printable(sentence));
  return list;
}

void say_what_was_left(const adtr::SampleSet& set) {
  if (!set.left_out.empty()) say(adtr::describe(set.left_out));
  for (const std::string& contradiction : set.allowed) say("allowed: " + contradiction);
}

std::optional<double> false_alarm_bound(const adtr::ModelDescription& description) {
  const auto note = description.notes.find("false_alarm_rate_bound");
  if (!description.threshold || note == description.notes.end()) return std::nullopt;
  return adtr::parse_double(note->second);
}

void require_writable(const std::string& path) {
  if (!path.empty()) adtr::AtomicFile{path};
}

void write_json(const std::string& path, const std::string& command, const Json& json) {
  if (path.empty()) return;
  std::fflush(stdout);  // the file may be /dev/stdout
  Json all{{adtr::json_mark, {{"version", version}, {"command", command}}}};
  all.update(json);
  adtr::AtomicFile file(path);
  file.write(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  file.commit();
}

JsonList::JsonList(const std::string& path) {
  if (!path.empty()) file_.emplace(path);
}

void JsonList::add(const Json& item) {
  if (!file_) return;
  file_->write((first_ ? "[\n" : ",\n") + item.dump(2, ' ', false, Json::error_handler_t::replace));
  first_ = false;
}

void JsonList::commit() {
  if (!file_) return;
  file_->write(first_ ? "[]\n" : "\n]\n");
  file_->commit();
}

adtr::HeatScale scale_of(const adtr::ModelDescription& description) {
  return {static_cast<float>(description.colour_low), static_cast<float>(description.colour_high)};
}

adtr::Image heat_map(const ScoreMap& map, const adtr::Image& resized, adtr::HeatScale scale) {
  adtr::Image picture(resized.height, resized.width);
  picture.data = adtr::overlay(resized.data, {map.data(), map.size()}, map.shape(0), map.shape(1), scale);
  return picture;
}

std::string MapWriter::path(const std::string& name, const char* extension) const {
  return (std::filesystem::path(folder_) / name).string() + extension;
}

void MapWriter::claim(const std::string& name, const std::filesystem::path& image) {
  if (folder_.empty()) return;
  const auto [other, fresh] = images_.emplace(name, image);
  if (!fresh)
    throw adtr::file_error(image.string(), "its map would have the same name as that of " + other->second.string(),
                           adtr::ErrorCode::file_conflict);
}

void MapWriter::add_to(adtr::FilePlan& plan) const {
  for (const auto& [name, image] : images_) {
    plan.writes("--maps", path(name, ".png"), adtr::FileKind::heat_map);
    plan.writes("--maps", path(name, ".npy"), adtr::FileKind::score_map);
  }
}

void MapWriter::make_folders() const {
  for (const auto& [name, image] : images_) {
    const std::filesystem::path folder = (std::filesystem::path(folder_) / name).parent_path();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      throw adtr::file_error(folder.string(), "cannot be made: " + error.message(), adtr::ErrorCode::file_unwritable);
  }
}

void MapWriter::write_scores(const std::string& name, const adtr::Detection& detection) const {
  if (folder_.empty()) return;
  adtr::AtomicFile scores(path(name, ".npy"));
  scores.write(xt::dump_npy(detection.map));
  scores.commit();
}

void MapWriter::write_picture(const std::string& name, const ScoreMap& map, const adtr::Image& resized,
                              adtr::HeatScale scale) const {
  if (folder_.empty()) return;
  adtr::write_png(path(name, ".png"), heat_map(map, resized, scale), adtr::heat_map_software);
}

ScoreMap MapWriter::read_scores(const std::string& name) const {
  std::ifstream file(path(name, ".npy"), std::ios::binary);
  return xt::load_npy<float, xt::layout_type::row_major>(file);
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
