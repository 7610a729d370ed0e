/// The contents of one folder: the images that adtr takes, and what it leaves out and why.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/data/file_type.hpp"
#include "adtr/data/left_out.hpp"
#include "adtr/data/reach.hpp"
#include "adtr/data/unicode_names.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Lists the entries of a folder for which `wanted(directory_entry)` is true, sorted by the bytes of their names, which
/// gives the same order on every machine. Error: file_unreadable if the folder cannot be listed.
template <class Wanted>
std::vector<std::filesystem::path> list(const std::filesystem::path& folder, Wanted wanted) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (wanted(*entry)) paths.push_back(entry->path());
  if (error) throw path_error(folder, error.value(), PathUse::read_folder);
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return paths;
}

inline std::vector<std::filesystem::path> list(const std::filesystem::path& folder) {
  return list(folder, [](const auto&) { return true; });
}

/// Lists the folders in a folder, and links to folders, except hidden ones.
inline std::vector<std::filesystem::path> list_folders(const std::filesystem::path& folder) {
  return list(folder, [](const std::filesystem::directory_entry& entry) {
    return !is_hidden(entry.path()) && reach(entry.path()).folder();
  });
}

/// Counts the files below a folder that are named like images of any format. Does not follow links within it, skips
/// hidden folders, and stops after 100,000 entries.
inline std::size_t count_images_below(const std::filesystem::path& folder) {
  std::size_t images = 0, entries = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    if (++entries > 100000) break;
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (is_hidden(entry->path())) entry.disable_recursion_pending();
    } else if (named_like_image(entry->path()) ||
               (!is_hidden(entry->path()) && !image_type_of_name(lower_extension(entry->path())).name.empty())) {
      ++images;
    }
  }
  return images;
}

/// Whether `folder` lies in the target of `link`, so that following the link would lead back to it.
inline bool leads_back(const std::filesystem::path& link, const std::filesystem::path& folder) {
  std::error_code error;
  const auto target = std::filesystem::canonical(link, error);
  if (error) return false;
  const auto from = std::filesystem::canonical(folder, error);
  return !error && std::mismatch(target.begin(), target.end(), from.begin(), from.end()).first == target.end();
}

/// Records a folder that is not entered.
inline void leave_folder(const std::filesystem::path& path, LeftOutList& left) {
  std::error_code error;
  static_cast<void>(std::filesystem::directory_iterator(path, error));
  if (is_hidden(path)) {
    left.add(path, "hidden folder", "hidden folders", 0);
  } else if (error) {
    left.add(path, "folder that cannot be listed", "folders that cannot be listed", 0);
  } else if (leads_back(path, path.parent_path())) {
    left.add(path, "link back to a folder above", "links back to a folder above", 0);
  } else if (const std::size_t images = count_images_below(path); images > 0) {
    left.add(path, "folder that contains #", "folders that contain #", images);
  } else {
    left.add(path, "folder without images", "folders without images", 0);
  }
}

/// Records a file that is not named like an image that adtr reads, with its type. The type of a hidden file is taken
/// from its bytes only, because macOS puts a `._part.tif` that is not an image next to each `part.tif`.
inline void leave_file(const std::filesystem::path& path, LeftOutList& left) {
  if (is_hidden(path)) {
    const bool image = !image_type_by_bytes(path).name.empty();
    left.add(path, image ? "hidden image" : "hidden file", image ? "hidden images" : "hidden files", image ? 1 : 0);
    return;
  }
  const ImageType type = image_type(path);
  const std::string name(type.name);
  if (type.readable) {
    const std::string rest = " without the extension .png, .jpg, .jpeg or .bmp";
    left.add(path, name + " image" + rest, name + " images" + rest, 1);
  } else if (!name.empty()) {
    left.add(path, name + " image, which adtr does not read", name + " images, which adtr does not read", 1);
  } else {
    left.add(path, "file that is not an image", "files that are not images", 0);
  }
}

/// The images directly in a folder, sorted, and what was left out.
struct ImageFolder {
  std::vector<std::filesystem::path> images;
  LeftOutList left;
};

/// Scans a folder. Error: it cannot be listed; something named like an image is unreachable or not a file
/// (file_missing, file_unreadable), unless `keep_unreachable` is set: then it is kept among the images, and the reader
/// reports it.
inline ImageFolder look_into(const std::filesystem::path& folder, bool keep_unreachable = false) {
  ImageFolder found;
  for (const auto& path : list(folder)) {
    const Reached reached = reach(path);
    if (reached.folder()) {
      leave_folder(path, found.left);
    } else if (named_like_image(path)) {
      if (!keep_unreachable && reached.error) throw *reached.error;
      if (!keep_unreachable && !reached.file())
        throw file_error(path.string(), std::string("expected an image, found ") + reached.name(),
                         ErrorCode::file_unreadable);
      found.images.push_back(path);
    } else if (reached.error) {
      found.left.add(path, "link or file that cannot be reached", "links or files that cannot be reached", 0);
    } else if (reached.file()) {
      leave_file(path, found.left);
    } else {
      found.left.add(path, "entry that is neither a file nor a folder", "entries that are neither files nor folders",
                     0);
    }
  }
  return found;
}

inline Error no_images(const std::filesystem::path& folder, const LeftOutList& left = {}) {
  const std::string rest = describe(left.list());
  return file_error(folder.string(),
                    "expected images (.png, .jpg, .jpeg, .bmp), found none" + (rest.empty() ? "" : "; " + rest),
                    ErrorCode::bad_data);
}

/// Throws bad_data, or records in `set`, that more images of a folder were left out than taken.
inline void expect_most_taken(const std::filesystem::path& folder, std::size_t taken, const LeftOutList& left,
                              SampleSet& set) {
  if (left.images() <= taken) return;
  const std::string sentence = "only " + std::to_string(taken) + " of " + images_text(taken + left.images()) +
                               " would be used; " + describe(left.list());
  if (!set.allow)
    throw file_error(
        folder.string(),
        sentence + "; convert, rename or move the others, or pass --allow (ScanOptions::allow) to leave them out",
        ErrorCode::bad_data);
  set.allowed.push_back(in_line(folder.string() + ": " + sentence));
}

/// Throws bad_data for two images whose names read the same in different bytes (é as one character and as two).
inline void expect_distinct_names(const std::vector<std::filesystem::path>& images) {
  std::map<std::string, std::filesystem::path> seen;
  for (const auto& path : images) {
    const auto [other, fresh] = seen.emplace(canonical_name(path.filename().string()), path);
    if (!fresh)
      throw file_error(path.string(),
                       "its name looks the same as that of " + other->second.string() +
                           " and differs only in how accents are stored; remove or rename one of the two",
                       ErrorCode::bad_data);
  }
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
