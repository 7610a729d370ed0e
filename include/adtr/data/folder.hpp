/// Folders of images: MVTec's layout, or a plain folder of good images.
///
///     train/good/*.png            good images for training
///     test/good/*.png             good images for testing
///     test/<kind>/<stem>.png      images with defects of one kind
///     ground_truth/<kind>/<stem>_mask.png   masks of the defects (or <stem>.png); optional
///
/// Nothing is skipped silently: SampleSet::left_out says what was not taken and why. A scan throws if most of a
/// folder's images would be left out or if labels contradict each other (see ScanOptions).
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/data/image_folder.hpp"
#include "adtr/data/labels.hpp"
#include "adtr/data/layout.hpp"
#include "adtr/data/sample_set.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Returns the images directly in a folder, sorted by name, without regard to labels: for detection. An unreachable
/// image is kept, so that read_image reports it. Error: no such folder, no images, most images left out.
[[nodiscard]] inline SampleSet list_images_of(const std::filesystem::path& folder, const ScanOptions& options = {}) {
  expect_folder(folder);
  SampleSet set;
  set.allow = options.allow;
  detail::ImageFolder found = detail::look_into(folder, true);
  const std::string kind = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  for (auto& path : found.images) set.samples.push_back({std::move(path), kind, false, std::nullopt, nullptr});
  if (set.empty()) throw detail::no_images(folder, found.left);
  detail::expect_most_taken(folder, set.size(), found.left, set);
  set.left_out = found.left.list();
  return set;
}

/// Returns the good images for training, sorted by name: those in `folder`/train/good or, if there is no
/// `folder`/train, those in `folder` itself. Error: no such folder, no images, most images left out, a second folder
/// whose name means good, an image that is also in a defect folder of `folder`/test.
[[nodiscard]] inline SampleSet scan_training(const std::filesystem::path& folder, const ScanOptions& options = {}) {
  expect_folder(folder);
  SampleSet set;
  set.allow = options.allow;
  detail::LeftOutList left;
  const bool layout = detail::stands(folder / "train");
  const detail::GoodFolder good =
      layout ? detail::find_good_training(folder, set, left) : detail::GoodFolder{folder, {}};
  detail::ImageFolder found = detail::look_into(good.path);
  if (found.images.empty()) throw detail::no_images(good.path, found.left);
  detail::expect_distinct_names(found.images);
  detail::expect_most_taken(good.path, found.images.size(), found.left, set);
  detail::expect_most_taken(folder / "train", found.images.size(), good.beside, set);
  left.add(found.left);
  left.add(good.beside);
  set.left_out = left.list();
  if (layout && detail::reach(folder / "test").folder())
    detail::report_same(set, found.images, detail::defects_beside(folder),
                        "so an image from a folder of defects would be trained on as good");
  for (auto& path : found.images) set.samples.push_back({std::move(path), "good", false, std::nullopt, nullptr});
  return set;
}

/// Returns the images for testing, `folder/test/<kind>`, sorted by kind, then by name. Those of the kind "good" are
/// good, all others are defective and have their masks from `folder/ground_truth/<kind>` if present. Masks are not read
/// here but by check_labels(). Error: no such folder, no images (also in the folder of one kind), most images left out,
/// a mask for a missing image, two masks for one image or one for two, a kind other than "good" whose name means good,
/// an image that is both good and defective or among the training images of `folder`.
[[nodiscard]] inline SampleSet scan_test(const std::filesystem::path& folder, const ScanOptions& options = {}) {
  expect_folder(folder);
  const std::filesystem::path test = folder / "test";
  expect_folder(test);
  SampleSet set;
  set.allow = options.allow;
  detail::LeftOutList left;
  detail::leave_beside_layout(folder, left);
  const detail::Layout kinds = detail::look_into_layout(test);
  detail::KindMasks masks = detail::find_masks(folder / "ground_truth", set, left);
  for (const auto& kind_folder : kinds.folders) {
    const std::string kind = kind_folder.filename().string();
    const detail::ImageFolder found = detail::look_into(kind_folder);
    if (found.images.empty()) throw detail::no_images(kind_folder, found.left);
    detail::expect_not_called_good(kind_folder, found.images.size(), kinds, set);
    detail::expect_distinct_names(found.images);
    detail::expect_most_taken(kind_folder, found.images.size(), found.left, set);
    left.add(found.left);
    const auto paired = detail::pair_masks(masks, kind, found.images);
    for (std::size_t i = 0; i < found.images.size(); ++i)
      set.samples.push_back({found.images[i], kind, kind != "good", paired[i], nullptr});
  }
  if (set.empty()) throw detail::no_images(test, kinds.left);
  detail::expect_most_taken(test, set.size(), kinds.left, set);
  left.add(kinds.left);
  detail::expect_masks_used(masks, test, set);
  set.left_out = left.list();
  const auto good = detail::paths_of(set.samples, false), defects = detail::paths_of(set.samples, true);
  detail::report_same(set, good, defects, "so one image would be both good and defective");
  auto all = good;
  all.insert(all.end(), defects.begin(), defects.end());
  detail::report_same(set, detail::training_images_beside(folder), all,
                      "so the model would be tested on an image that it may have been trained on");
  return set;
}

/// Returns the defective images of a folder that scan_test() accepts, for training. With `allow` their masks are read,
/// as check_labels() does. Error: as scan_test(), or no defects.
[[nodiscard]] inline SampleSet scan_defects(const std::filesystem::path& folder, const ScanOptions& options = {}) {
  SampleSet set = scan_test(folder, options);
  std::erase_if(set.samples, [](const Sample& sample) { return !sample.defective; });
  if (set.empty())
    throw file_error((folder / "test").string(), "expected a folder of images with defects, found only good ones",
                     ErrorCode::bad_data);
  if (set.allow) check_labels(set);
  return set;
}

/// Reads the mask of a sample whose image has the given size. Error: as read_mask, or a mask of another size.
[[nodiscard]] inline Mask read_sample_mask(const Sample& sample, Index height, Index width) {
  const std::string path = sample.mask.value().string();
  Mask mask = read_mask(path);
  if (mask.height == height && mask.width == width) return mask;
  const auto size = [](Index h, Index w) { return std::to_string(h) + "x" + std::to_string(w); };
  throw file_error(path,
                   "the mask has " + size(mask.height, mask.width) + " pixels, expected " + size(height, width) +
                       ", the size of its image " + sample.path.string(),
                   ErrorCode::shape);
}

/// Decodes every image and mask once, so that a long run cannot fail midway because of a broken file. Throws the first
/// file's Error, or the first contradiction between a mask and its image's folder (bad_data, see check_labels).
inline void check_images(const SampleSet& set) {
  SampleSet strict;
  for (const Sample& sample : set) {
    const Image image = read_image(sample);
    if (sample.mask) detail::check_label(strict, sample, read_sample_mask(sample, image.height, image.width));
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr
