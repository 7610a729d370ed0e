/// Images of a data set, what the scan for them left out, and which contradictions the user allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adtr/data/image_file.hpp"
#include "adtr/data/mirror.hpp"
#include "adtr/data/unicode_names.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// One image of a data set, either in a file that is not read yet, or in memory.
struct Sample {
  std::filesystem::path path;
  std::string kind;  ///< name of its folder: "good" or the kind of defect
  bool defective = false;
  std::optional<std::filesystem::path> mask;
  std::shared_ptr<const Image> image{};  ///< set for an image in memory; `path` is then only a name
  Mirror mirror{};                       ///< applied to the image when it is read, but not to its mask
};

/// Returns the sample's pixels. If `header` is not null, it receives the file's properties; for an image in memory it
/// is not changed. Error: as read_image of its path.
[[nodiscard]] inline Image read_image(const Sample& sample, ImageHeader* header = nullptr) {
  return mirrored(sample.image ? *sample.image : read_image(sample.path, header), sample.mirror);
}

/// Returns every sample and its three mirror images.
[[nodiscard]] inline std::vector<Sample> with_mirror_images(const std::vector<Sample>& samples) {
  std::vector<Sample> all;
  all.reserve(samples.size() * mirrors.size());
  for (const Sample& sample : samples)
    for (const Mirror mirror : mirrors) {
      all.push_back(sample);
      all.back().mirror = mirror;
    }
  return all;
}

/// What a scan left out for one reason.
struct LeftOut {
  std::string reason;             ///< follows `count` in a sentence: "TIFF images, which adtr does not read"
  std::size_t count = 0;          ///< files, links or folders
  std::filesystem::path example;  ///< the first of them
  std::size_t images = 0;         ///< number of images among them or in them; 0 if none is lost
};

/// What a scan allows.
struct ScanOptions {
  /// If set, contradicting labels, and a folder most of whose images are left out, do not stop the scan: the folder
  /// decides the label, and SampleSet::allowed lists what was allowed.
  bool allow = false;
};

/// Samples, and what a user must know about the scan that found them.
struct SampleSet {
  std::vector<Sample> samples;
  std::vector<LeftOut> left_out;
  std::vector<std::string> allowed;  ///< what ScanOptions::allow allowed, one UTF-8 sentence each
  bool allow = false;                ///< the scan's option, for contradictions found when masks are read later

  SampleSet() = default;
  SampleSet(std::vector<Sample> images) : samples(std::move(images)) {}

  [[nodiscard]] auto begin() { return samples.begin(); }
  [[nodiscard]] auto end() { return samples.end(); }
  [[nodiscard]] auto begin() const { return samples.begin(); }
  [[nodiscard]] auto end() const { return samples.end(); }
  [[nodiscard]] std::size_t size() const { return samples.size(); }
  [[nodiscard]] bool empty() const { return samples.empty(); }
  [[nodiscard]] Sample& operator[](std::size_t i) { return samples[i]; }
  [[nodiscard]] const Sample& operator[](std::size_t i) const { return samples[i]; }
};

namespace detail {

/// Makes text fit for one line of UTF-8: replaces bytes that would break the line or are not UTF-8 by `?`.
inline std::string in_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = next_character(text, at);
    append_character(line, c < ' ' || (c >= 0x7F && c < 0xA0) || c >= 0x110000 ? '?' : c);
  }
  return line;
}

inline std::string name_in_line(const std::filesystem::path& path) { return in_line(path.filename().string()); }

}  // namespace detail

/// Returns part of a sentence: "10 TIFF images, which adtr does not read (a.tif, …)".
[[nodiscard]] inline std::string describe(const LeftOut& left) {
  return std::to_string(left.count) + " " + left.reason + " (" + detail::name_in_line(left.example) +
         (left.count > 1 ? ", …)" : ")");
}

/// Returns a sentence: "left out: 10 TIFF images, which adtr does not read (a.tif, …); 1 hidden file (.x)", or an empty
/// string if nothing was left out.
[[nodiscard]] inline std::string describe(const std::vector<LeftOut>& list) {
  std::string text;
  for (const LeftOut& left : list) text += (text.empty() ? "left out: " : "; ") + describe(left);
  return text;
}

}  // namespace ADTR_ABI
}  // namespace adtr
