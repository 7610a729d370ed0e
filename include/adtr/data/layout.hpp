/// The folders of MVTec's layout: which of them are taken, what lies next to them, and which mask belongs to which
/// image.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adtr/data/image_folder.hpp"
#include "adtr/data/labels.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// A folder of folders: `test`, `train`, `ground_truth`.
struct Layout {
  std::vector<std::filesystem::path> folders;  ///< sorted, including links to folders
  LeftOutList left;                            ///< everything else directly in it

  [[nodiscard]] bool has(const char* name) const {
    return std::any_of(folders.begin(), folders.end(), [&](const auto& path) { return path.filename() == name; });
  }
};

/// Records an image where only folders are expected. Returns false if it is not an image.
inline bool leave_stray_image(const std::filesystem::path& path, LeftOutList& left) {
  if (is_hidden(path) || !(named_like_image(path) || !image_type(path).name.empty())) return false;
  const std::string rest = " directly in " + name_in_line(path.parent_path());
  left.add(path, "image" + rest, "images" + rest, 1);
  return true;
}

/// Error: the folder cannot be listed; a link in it leads nowhere, which may hide a whole kind of defects.
inline Layout look_into_layout(const std::filesystem::path& folder) {
  Layout layout;
  for (const auto& path : list(folder)) {
    if (is_hidden(path)) continue;
    const Reached reached = reach(path);
    if (reached.error) throw *reached.error;
    if (reached.folder())
      layout.folders.push_back(path);
    else if (!reached.file() || !leave_stray_image(path, layout.left))
      layout.left.add(path, "file that is not an image", "files that are not images", 0);
  }
  expect_distinct_names(layout.folders);
  return layout;
}

/// Records folders with images, and images, next to `train`, `test` and `ground_truth`.
inline void leave_beside_layout(const std::filesystem::path& folder, LeftOutList& left) {
  for (const auto& path : list(folder)) {
    const auto name = path.filename();
    if (is_hidden(path) || name == "train" || name == "test" || name == "ground_truth") continue;
    const Reached reached = reach(path);
    if (reached.file()) static_cast<void>(leave_stray_image(path, left));
    if (!reached.folder() || leads_back(path, folder)) continue;
    if (const std::size_t images = count_images_below(path); images > 0)
      left.add(path, "folder next to train, test and ground_truth that contains #",
               "folders next to train, test and ground_truth that contain #", images);
  }
}

/// `folder`/train/good, and what lies next to it. Error: it is missing, or another folder in `train` has a name that
/// means good.
struct GoodFolder {
  std::filesystem::path path;
  LeftOutList beside;  ///< other entries directly in `train`
};

inline GoodFolder find_good_training(const std::filesystem::path& folder, SampleSet& set, LeftOutList& left) {
  const std::filesystem::path train = folder / "train";
  expect_folder(train);
  leave_beside_layout(folder, left);
  Layout layout = look_into_layout(train);
  GoodFolder good{train / "good", std::move(layout.left)};
  const bool present = layout.has("good");
  for (const auto& path : layout.folders) {
    if (path == good.path) continue;
    if (means_good(path.filename().string())) {
      if (!present && !stands(good.path))
        throw file_error(good.path.string(),
                         "no such folder, but " + path.string() + " exists; rename that folder to good",
                         ErrorCode::file_missing);
      contradiction(set, path,
                    "its name says that its images are good, but there is also " + good.path.string() +
                        "; training images must lie in one folder, which is called good",
                    "it is left out");
    }
    leave_folder(path, left);
  }
  expect_folder(good.path);
  return good;
}

/// Reports a kind of defects whose name says that its images are good: "Good", "OK", …
inline void expect_not_called_good(const std::filesystem::path& kind, std::size_t images, const Layout& kinds,
                                   SampleSet& set) {
  if (kind.filename() == "good" || !means_good(kind.filename().string())) return;
  const std::filesystem::path good = kind.parent_path() / "good";
  contradiction(set, kind,
                "its name says that its " + images_text(images) + (images == 1 ? " is" : " are") +
                    " good, but only a folder that is called good holds good images" +
                    (kinds.has("good") ? "; move them to " + good.string() : "; rename it to " + good.string()),
                "its images count as defective");
}

/// The masks of each kind, by the stem of their image. Kinds and stems are written as canonical_name() returns them.
struct KindMasks {
  struct Kind {
    std::filesystem::path folder;
    std::map<std::string, std::filesystem::path> masks;
    bool has_images = false;
  };
  std::map<std::string, Kind> kinds;
};

/// Finds the masks in `truth`, which may be missing. Error: two masks for one image, most of a folder left out.
inline KindMasks find_masks(const std::filesystem::path& truth, SampleSet& set, LeftOutList& left) {
  static constexpr std::string_view suffix = "_mask";
  KindMasks all;
  if (!stands(truth)) return all;
  expect_folder(truth);
  const Layout layout = look_into_layout(truth);
  std::size_t taken = 0;
  for (const auto& folder : layout.folders) {
    const ImageFolder found = look_into(folder);
    KindMasks::Kind& kind = all.kinds[canonical_name(folder.filename().string())];
    kind.folder = folder;
    for (const auto& path : found.images) {
      std::string stem = canonical_name(path.stem().string());
      if (stem.ends_with(suffix)) stem.resize(stem.size() - suffix.size());
      const auto [other, fresh] = kind.masks.emplace(stem, path);
      if (!fresh)
        throw file_error(path.string(), "is a second mask for the image of " + other->second.string(),
                         ErrorCode::bad_data);
    }
    expect_most_taken(folder, found.images.size(), found.left, set);
    left.add(found.left);
    taken += found.images.size();
  }
  expect_most_taken(truth, taken, layout.left, set);
  left.add(layout.left);
  return all;
}

/// Finds the mask of each image of a kind and removes those masks from `masks`. Error: one mask for two images
/// (`1.png`, `1.jpg`).
inline std::vector<std::optional<std::filesystem::path>> pair_masks(KindMasks& masks, const std::string& kind,
                                                                    const std::vector<std::filesystem::path>& images) {
  std::vector<std::optional<std::filesystem::path>> paired(images.size());
  const auto found = masks.kinds.find(canonical_name(kind));
  if (found == masks.kinds.end()) return paired;
  found->second.has_images = true;
  std::map<std::string, std::filesystem::path> used;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::string stem = canonical_name(images[i].stem().string());
    const auto mask = found->second.masks.find(stem);
    if (mask == found->second.masks.end()) continue;
    const auto [other, fresh] = used.emplace(stem, images[i]);
    if (!fresh)
      throw file_error(mask->second.string(),
                       "is the mask of two images, " + other->second.string() + " and " + images[i].string() +
                           "; rename one of the images",
                       ErrorCode::bad_data);
    paired[i] = mask->second;
  }
  for (const auto& [stem, image] : used) found->second.masks.erase(stem);
  return paired;
}

/// Reports masks without an image.
inline void expect_masks_used(const KindMasks& masks, const std::filesystem::path& test, SampleSet& set) {
  for (const auto& [name, kind] : masks.kinds) {
    const std::filesystem::path images = test / kind.folder.filename();
    if (!kind.has_images && !kind.masks.empty()) {
      contradiction(set, kind.folder, "holds masks of missing images: expected the folder " + images.string(),
                    "its masks are not used");
      continue;
    }
    for (const auto& [stem, path] : kind.masks)
      contradiction(
          set, path,
          "is the mask of a missing image: expected " + (images / stem).string() + " with an image's extension",
          "the mask is not used");
  }
}

/// Lists the images in a folder for comparison only: unreachable ones are skipped.
inline std::vector<std::filesystem::path> reachable_images(const std::filesystem::path& folder) {
  return list(folder, [](const std::filesystem::directory_entry& entry) {
    return named_like_image(entry.path()) && reach(entry.path()).file();
  });
}

/// Lists the images in the defect folders of `folder`/test.
inline std::vector<std::filesystem::path> defects_beside(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> all;
  for (const auto& kind : list_folders(folder / "test")) {
    if (kind.filename() == "good") continue;
    const auto images = reachable_images(kind);
    all.insert(all.end(), images.begin(), images.end());
  }
  return all;
}

/// Lists the images that scan_training(folder) would train with; empty if there are none.
inline std::vector<std::filesystem::path> training_images_beside(const std::filesystem::path& folder) {
  if (!stands(folder / "train")) return reachable_images(folder);
  const auto good = folder / "train" / "good";
  return reach(good).folder() ? reachable_images(good) : std::vector<std::filesystem::path>();
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
