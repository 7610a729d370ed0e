/// CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) in their binary format, and the one-class protocol on them.
///
/// A file consists of records without header or padding: a label byte (in CIFAR-100 two: coarse, fine), then 1,024
/// bytes each of red, green and blue, rows from top to bottom.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/random.hpp"
#include "adtr/data/folder.hpp"

namespace adtr {
inline namespace ADTR_ABI {

inline constexpr std::array<std::string_view, 10> cifar10_classes{"airplane", "automobile", "bird",  "cat",  "deer",
                                                                  "dog",      "frog",       "horse", "ship", "truck"};

/// Returns the label of a class name. Throws an Error that lists the names if there is no such class.
[[nodiscard]] inline int cifar10_label(std::string_view name) {
  const auto it = std::find(cifar10_classes.begin(), cifar10_classes.end(), name);
  if (it != cifar10_classes.end()) return static_cast<int>(it - cifar10_classes.begin());
  std::string known;
  for (const std::string_view n : cifar10_classes) known += (known.empty() ? "" : ", ") + std::string(n);
  throw Error("class '" + std::string(name) + "' is not a class of CIFAR-10; expected one of " + known,
              ErrorCode::option);
}

namespace detail {

inline constexpr Index cifar_side = 32;

/// Calls record(number, label, planes) for every record of a file. `label_bytes` is 1 or 2; the last label byte is
/// passed on.
template <class F>
void each_cifar_record(const std::filesystem::path& path, std::size_t label_bytes, F&& record) {
  if (const Reached reached = reach(path); reached.error) throw *reached.error;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw path_error(path, EACCES);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::size_t size = label_bytes + 3 * cifar_side * cifar_side;
  if (bytes.empty() || bytes.size() % size != 0)
    throw file_error(
        path.string(),
        "expected records of " + std::to_string(size) + " bytes, found " + std::to_string(bytes.size()) + " bytes",
        ErrorCode::bad_data);
  for (std::size_t i = 0; i * size < bytes.size(); ++i) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data()) + i * size;
    record(i, static_cast<int>(data[label_bytes - 1]), data + label_bytes);
  }
}

inline Sample cifar_sample(const std::filesystem::path& path, std::size_t number, const std::uint8_t* planes,
                           std::string kind, bool defective) {
  auto image = std::make_shared<Image>(cifar_side, cifar_side);
  constexpr std::size_t area = cifar_side * cifar_side;
  for (std::size_t i = 0; i < area; ++i)
    for (std::size_t c = 0; c < 3; ++c) image->data[3 * i + c] = planes[c * area + i];
  return {path / std::to_string(number), std::move(kind), defective, std::nullopt, std::move(image)};
}

/// Returns `count` samples, sampled without replacement; they keep their order.
inline std::vector<Sample> draw(std::vector<Sample> samples, std::size_t count, RandomStream random) {
  const auto order = permutation(samples.size(), random);
  std::vector<bool> taken(samples.size(), false);
  for (std::size_t i = 0; i < count; ++i) taken[order[i]] = true;
  std::vector<Sample> drawn;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (taken[i]) drawn.push_back(std::move(samples[i]));
  return drawn;
}

}  // namespace detail

/// Returns the training images of one class, from every file `folder`/data_batch_*.bin.
[[nodiscard]] inline std::vector<Sample> cifar10_training(const std::filesystem::path& folder, std::string_view name) {
  const int label = cifar10_label(name);
  expect_folder(folder);
  std::vector<Sample> samples;
  for (const auto& path : detail::list(folder, [](const auto& entry) {
         const std::string file = entry.path().filename().string();
         return file.starts_with("data_batch_") && file.ends_with(".bin");
       }))
    detail::each_cifar_record(path, 1, [&](std::size_t i, int found, const std::uint8_t* planes) {
      if (found == label) samples.push_back(detail::cifar_sample(path, i, planes, "good", false));
    });
  if (samples.empty())
    throw file_error(folder.string(),
                     "expected data_batch_*.bin with images of the class " + std::string(name) + ", found none",
                     ErrorCode::bad_data);
  return samples;
}

/// Returns all images of the class in `folder`/test_batch.bin, and an equal number of images of the other classes,
/// drawn with `seed`.
[[nodiscard]] inline std::vector<Sample> cifar10_test(const std::filesystem::path& folder, std::string_view name,
                                                      std::uint64_t seed) {
  const int label = cifar10_label(name);
  const auto path = folder / "test_batch.bin";
  std::vector<Sample> good, others;
  detail::each_cifar_record(path, 1, [&](std::size_t i, int found, const std::uint8_t* planes) {
    if (found < 0 || found >= static_cast<int>(cifar10_classes.size()))
      throw file_error(path.string(),
                       "record " + std::to_string(i) + ": expected a label from 0 to 9, found " + std::to_string(found),
                       ErrorCode::bad_data);
    const bool other = found != label;
    (other ? others : good)
        .push_back(detail::cifar_sample(
            path, i, planes, other ? std::string(cifar10_classes[static_cast<std::size_t>(found)]) : "good", other));
  });
  if (good.empty() || others.size() < good.size())
    throw file_error(path.string(),
                     "expected images of the class " + std::string(name) + " and at least as many of others, found " +
                         std::to_string(good.size()) + " and " + std::to_string(others.size()),
                     ErrorCode::bad_data);
  for (Sample& sample : detail::draw(std::move(others), good.size(), RandomStream(seed, 1)))
    good.push_back(std::move(sample));
  return good;
}

/// Returns `count` images from `folder`/train.bin of CIFAR-100 as anomalies, drawn with `seed`.
[[nodiscard]] inline std::vector<Sample> cifar100_anomalies(const std::filesystem::path& folder, std::size_t count,
                                                            std::uint64_t seed) {
  const auto path = folder / "train.bin";
  std::vector<Sample> all;
  detail::each_cifar_record(path, 2, [&](std::size_t i, int, const std::uint8_t* planes) {
    all.push_back(detail::cifar_sample(path, i, planes, "cifar100", true));
  });
  if (all.size() < count)
    throw file_error(path.string(),
                     "expected at least " + std::to_string(count) + " images, found " + std::to_string(all.size()));
  return detail::draw(std::move(all), count, RandomStream(seed, 2));
}

}  // namespace ADTR_ABI
}  // namespace adtr
