/// Labels that contradict each other. The folder decides the label. A contradiction stops the scan and names both
/// files, or is recorded in SampleSet::allowed if the user allows it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/data/left_out.hpp"
#include "adtr/data/same_images.hpp"
#include "adtr/data/sample_set.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Whether a folder's name says that its images are good: "Good", "OK", "defect-free", …, in any case.
inline bool means_good(std::string_view name) {
  static constexpr std::array<std::string_view, 34> names{
      "good",      "goods",       "ok",        "okay",       "normal",    "normals",      "nominal",
      "pass",      "passed",      "fine",      "healthy",    "intact",    "perfect",      "flawless",
      "clean",     "defectfree",  "faultfree", "nodefect",   "nodefects", "nondefective", "nonanomalous",
      "noanomaly", "noanomalies", "goodparts", "goodimages", "gut",       "io",           "fehlerfrei",
      "bon",       "conforme",    "bueno",     "良品",       "正常",      "合格"};
  std::string plain;
  for (const char c : name)
    if (c >= 'A' && c <= 'Z')
      plain += static_cast<char>(c - 'A' + 'a');
    else if (c != ' ' && c != '_' && c != '-' && c != '.')
      plain += c;
  return std::find(names.begin(), names.end(), plain) != names.end();
}

/// Throws a contradiction (bad_data), or records in `set` that it was allowed and what that means.
inline void contradiction(SampleSet& set, const std::filesystem::path& path, const std::string& sentence,
                          const std::string& consequence) {
  if (!set.allow)
    throw file_error(path.string(), sentence + "; pass --allow (ScanOptions::allow) to continue and list this",
                     ErrorCode::bad_data);
  set.allowed.push_back(in_line(path.string() + ": " + sentence + "; " + consequence));
}

inline std::vector<std::filesystem::path> paths_of(const std::vector<Sample>& samples, bool defective) {
  std::vector<std::filesystem::path> paths;
  for (const Sample& sample : samples)
    if (sample.defective == defective && !sample.image) paths.push_back(sample.path);
  return paths;
}

/// Reports each image of `b` that is the same as an image of `a`.
inline void report_same(SampleSet& set, const std::vector<std::filesystem::path>& a,
                        const std::vector<std::filesystem::path>& b, const std::string& why) {
  const auto pairs = same_files(a, b);
  const std::string more = pairs.size() > 1 ? " (and " + std::to_string(pairs.size() - 1) + " more)" : "";
  for (const auto& [i, j] : pairs)
    contradiction(set, b[j], "is the same image as " + a[i].string() + (set.allow ? "" : more) + ", " + why,
                  "both are used, each with the label of its folder");
}

/// Reports a mask that contradicts its image's folder.
inline void check_label(SampleSet& set, const Sample& sample, const Mask& mask) {
  const bool marked = mask.defective();
  if (marked == sample.defective) return;
  const std::string image = sample.path.string();
  if (marked)
    contradiction(set, *sample.mask, "it marks a defect in " + image + ", which lies in a folder of good images",
                  "the image counts as good, and the mask is not used");
  else if (sample.defective)
    contradiction(set, *sample.mask, "it marks no pixel, but its image " + image + " lies in a folder of defects",
                  "the image counts as defective, without a mask");
}

}  // namespace detail

/// Reads all masks, and nothing else, before a long run begins. It is a contradiction if the mask of an image in a
/// defect folder marks no pixel, or that of a good image marks any: throws bad_data with both names or, with `allow`
/// (here or in the scan), lists it in `set.allowed`; then the sample keeps its folder's label and loses its mask.
/// Returns the indices of the samples that lost their masks, ascending. A mask that cannot be read is passed to
/// `unreadable_mask(sample, error)`, which throws by default.
template <class OnUnreadable>
std::vector<std::size_t> check_labels(SampleSet& set, const ScanOptions& options, OnUnreadable&& unreadable_mask) {
  set.allow = set.allow || options.allow;
  std::vector<std::size_t> contradicted;
  for (std::size_t i = 0; i < set.size(); ++i) {
    Sample& sample = set[i];
    if (!sample.mask) continue;
    std::optional<Mask> mask;
    try {
      mask = read_mask(*sample.mask);
    } catch (const Error& error) {
      unreadable_mask(sample, error);
      continue;
    }
    const std::size_t before = set.allowed.size();
    detail::check_label(set, sample, *mask);
    if (set.allowed.size() == before) continue;
    sample.mask.reset();
    contradicted.push_back(i);
  }
  return contradicted;
}
inline std::vector<std::size_t> check_labels(SampleSet& set, const ScanOptions& options = {}) {
  return check_labels(set, options, [](const Sample&, const Error& error) { throw error; });
}

/// Throws (bad_data) if an image of `good` is also one of `defects`, by file or by content, unless one of the two was
/// scanned with `allow`. Images in memory are not compared.
inline void check_distinct(const SampleSet& good, const SampleSet& defects) {
  if (good.allow || defects.allow) return;
  SampleSet strict;
  detail::report_same(strict, detail::paths_of(good.samples, false), detail::paths_of(defects.samples, true),
                      "so one image would be trained on both as good and as defective");
}

}  // namespace ADTR_ABI
}  // namespace adtr
