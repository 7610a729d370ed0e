/// Folders of images: MVTec's layout, or a plain folder of good images.
///
///     train/good/*.png            good images to learn from
///     test/good/*.png             good images to test with
///     test/<kind>/<stem>.png      images with defects of one kind
///     ground_truth/<kind>/<stem>_mask.png   where they are (or <stem>.png); optional
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/mirror.hpp"

namespace adtr::inline ADTR_ABI {

/// One image of a data set, not read yet, or in memory.
struct Sample {
  std::filesystem::path path;
  std::string kind;  ///< the folder that it lies in: "good" or the kind of defect
  bool defective = false;
  std::optional<std::filesystem::path> mask;
  std::shared_ptr<const Image> image{};  ///< where it is in memory; `path` then only names it
  Mirror mirror{};                       ///< what reading does to it; its mask is left as it is
};

/// The sample's pixels. Error: as read_image of its path.
[[nodiscard]] inline Image read_image(const Sample& sample) {
  return mirrored(sample.image ? *sample.image : read_image(sample.path), sample.mirror);
}

/// Every sample as it is and in its three mirror images.
[[nodiscard]] inline std::vector<Sample> with_mirror_images(const std::vector<Sample>& samples) {
  std::vector<Sample> all;
  for (const Sample& sample : samples)
    for (const Mirror mirror : mirrors) {
      all.push_back(sample);
      all.back().mirror = mirror;
    }
  return all;
}

namespace detail {

/// Files named like images: other files (Thumbs.db, notes) and hidden ones (macOS's ._name.png) are not.
inline bool named_like_image(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 4> extensions{".png", ".jpg", ".jpeg", ".bmp"};
  if (path.filename().string().starts_with('.')) return false;
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

/// What lies in a folder and is wanted, in the order of the names' bytes, which is the same on every machine.
template <class Wanted>
std::vector<std::filesystem::path> list(const std::filesystem::path& folder, Wanted wanted) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (wanted(*entry)) paths.push_back(entry->path());
  if (error) throw file_error(folder.string(), "cannot be listed: " + error.message());
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return paths;
}

inline std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder) {
  return list(folder, [](const std::filesystem::directory_entry& entry) {
    return named_like_image(entry.path()) && !entry.is_directory();
  });
}

inline std::vector<std::filesystem::path> list_folders(const std::filesystem::path& folder) {
  return list(folder, [](const std::filesystem::directory_entry& entry) {
    return entry.is_directory() && !entry.path().filename().string().starts_with('.');
  });
}

inline void expect_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return;
  throw file_error(folder.string(),
                   std::filesystem::exists(folder, error) ? "expected a folder, found a file" : "no such folder");
}

inline Error no_images(const std::filesystem::path& folder) {
  return file_error(folder.string(), "expected images (.png, .jpg, .jpeg, .bmp), found none");
}

/// The masks of one kind by the stem of the image that they are for.
inline std::map<std::string, std::filesystem::path> masks_by_stem(const std::filesystem::path& folder) {
  static constexpr std::string_view suffix = "_mask";
  std::map<std::string, std::filesystem::path> masks;
  for (const auto& path : list_images(folder)) {
    std::string stem = path.stem().string();
    if (stem.ends_with(suffix)) stem.resize(stem.size() - suffix.size());
    const auto [other, fresh] = masks.emplace(stem, path);
    if (!fresh) throw file_error(path.string(), "a second mask for the image of " + other->second.string());
  }
  return masks;
}

}  // namespace detail

/// The good images to train with: `folder`/train/good, or where there is no `folder`/train, the images in `folder`
/// itself. Sorted by name. Error: no such folder, no images.
[[nodiscard]] inline std::vector<Sample> scan_training(const std::filesystem::path& folder) {
  detail::expect_folder(folder);
  const bool plain = !std::filesystem::exists(folder / "train");
  const std::filesystem::path good = plain ? folder : folder / "train" / "good";
  detail::expect_folder(good);
  std::vector<Sample> samples;
  for (auto& path : detail::list_images(good))
    samples.push_back({std::move(path), "good", false, std::nullopt, nullptr});
  if (samples.empty()) throw detail::no_images(good);
  return samples;
}

/// The images to test with: `folder/test/<kind>`, those of the kind "good" good, all others defective, with their masks
/// where `folder/ground_truth/<kind>` has them. Sorted by kind, then by name. Error: no such folder, no images (in a
/// kind's folder too), a mask for a missing image, two masks for one image.
[[nodiscard]] inline std::vector<Sample> scan_test(const std::filesystem::path& folder) {
  detail::expect_folder(folder);
  detail::expect_folder(folder / "test");
  const std::filesystem::path truth = folder / "ground_truth";
  std::map<std::string, std::map<std::string, std::filesystem::path>> masks;
  if (std::filesystem::exists(truth)) {
    for (const auto& kind : detail::list_folders(truth)) {
      masks[kind.filename().string()] = detail::masks_by_stem(kind);
    }
  }
  std::vector<Sample> samples;
  std::map<std::string, std::vector<std::string>> stems;
  for (const auto& kind_folder : detail::list_folders(folder / "test")) {
    const std::string kind = kind_folder.filename().string();
    const auto paths = detail::list_images(kind_folder);
    if (paths.empty()) throw detail::no_images(kind_folder);
    const auto& kind_masks = masks[kind];
    for (const auto& path : paths) {
      const std::string stem = path.stem().string();
      const auto mask = kind_masks.find(stem);
      samples.push_back({path, kind, kind != "good", std::nullopt, nullptr});
      if (mask != kind_masks.end()) samples.back().mask = mask->second;
      stems[kind].push_back(stem);
    }
  }
  if (samples.empty()) throw detail::no_images(folder / "test");
  for (const auto& [kind, kind_masks] : masks) {
    const auto& known = stems[kind];
    for (const auto& [stem, path] : kind_masks) {
      if (std::find(known.begin(), known.end(), stem) != known.end()) continue;
      throw file_error(path.string(), "a mask for a missing image: expected " +
                                          (folder / "test" / kind / stem).string() + " with an image's extension");
    }
  }
  return samples;
}

/// The defective images of a folder that scan_test() takes, to train with. Error: as there, or no defects.
[[nodiscard]] inline std::vector<Sample> scan_defects(const std::filesystem::path& folder) {
  std::vector<Sample> samples = scan_test(folder);
  std::erase_if(samples, [](const Sample& sample) { return !sample.defective; });
  if (samples.empty())
    throw file_error((folder / "test").string(), "expected a folder of images with defects, found only good ones");
  return samples;
}

/// Reads the mask of a sample whose image has the given size. Error: as read_mask, or a mask of another size.
[[nodiscard]] inline Mask read_sample_mask(const Sample& sample, Index height, Index width) {
  const std::string path = sample.mask.value().string();
  Mask mask = read_mask(path);
  if (mask.height == height && mask.width == width) return mask;
  const auto size = [](Index h, Index w) { return std::to_string(h) + "x" + std::to_string(w); };
  throw file_error(path, "mask of " + size(mask.height, mask.width) + " pixels, expected " + size(height, width) +
                             " as its image " + sample.path.string());
}

/// Decodes every image and mask once, so that a long run cannot fail over a broken file in its middle. Throws the first
/// file's Error.
inline void check_images(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    const Image image = read_image(sample);
    if (sample.mask) static_cast<void>(read_sample_mask(sample, image.height, image.width));
  }
}

}  // namespace adtr::inline ADTR_ABI
