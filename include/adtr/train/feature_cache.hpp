/// Features of all training images from the frozen backbone, computed once and kept in memory, or in a file above a
/// limit.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/view.hpp"
#include "adtr/train/batches.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Stores `images` matrices of (positions, channels), one after another. As a batch source it supplies normal images.
template <class T>
class FeatureCache final : public BatchSource<T> {
 public:
  /// Above `memory_limit` bytes the features go to an unnamed file in `folder`, mapped into memory; the file vanishes
  /// with this object or the process. An empty `folder` means the system's temporary folder, which is looked up only if
  /// a file is needed. Throws Error: no_resources if memory or disk has no room, file_unwritable if no file can be
  /// created in the folder.
  FeatureCache(Index images, Index positions, Index channels, std::uint64_t memory_limit,
               const std::filesystem::path& folder = {})
      : images_(images), positions_(positions), channels_(channels) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(images * positions * channels) * sizeof(T);
    if (bytes <= memory_limit)
      take_memory(bytes);
    else
      map_file(folder.empty() ? temporary_folder(bytes) : folder, bytes);
  }
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;
  ~FeatureCache() override {
    if (mapped_bytes_ > 0) munmap(data_, mapped_bytes_);
  }

  [[nodiscard]] Index images() const override { return images_; }
  void fill(std::span<const Index> images, Index /*step*/, T* features, std::span<std::uint8_t>) override {
    const Index size = positions_ * channels_;
    for (const Index i : images) features = std::copy_n(data_ + i * size, size, features);
  }
  [[nodiscard]] bool in_file() const { return mapped_bytes_ > 0; }
  [[nodiscard]] MatrixView<T> image(Index i) const {
    return {data_ + i * positions_ * channels_, positions_, channels_};
  }
  /// All positions of all images as rows.
  [[nodiscard]] MatrixView<T> rows() const { return {data_, images_ * positions_, channels_}; }

 private:
  /// Example: `209 images, 1024 MiB`.
  [[nodiscard]] std::string size_text(std::uint64_t bytes) const {
    return std::to_string(images_) + " images, " + std::to_string(bytes >> 20) + " MiB";
  }

  void take_memory(std::uint64_t bytes) {
    try {
      memory_ = Buffer<T>(images_ * positions_ * channels_);
    } catch (const std::bad_alloc&) {
      throw Error("the system has no memory for the features, " + size_text(bytes) +
                      "; a lower limit (TrainingRequest::cache_memory, --cache-memory) keeps them in a file",
                  ErrorCode::no_resources);
    }
    data_ = memory_.data();
  }

  [[nodiscard]] std::filesystem::path temporary_folder(std::uint64_t bytes) const {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (!error) return folder;
    const char* const named = std::getenv("TMPDIR");
    throw Error(
        "the features, " + size_text(bytes) + ", go to a temporary file, but there is no folder for it: " +
            (named != nullptr ? "TMPDIR is " + std::string(named) + ", expected a folder" : "set TMPDIR to a folder") +
            " (TrainingRequest::cache_memory, --cache-memory, keeps more in memory)",
        ErrorCode::file_unwritable);
  }

  void map_file(const std::filesystem::path& folder, std::uint64_t bytes) {
    std::string name = (folder / "adtr-features-XXXXXX").string();
    const auto fail = [&](const char* what, int reason) {
      const bool full = reason == ENOSPC || reason == EDQUOT || reason == ENOMEM || reason == EFBIG;
      return file_error(folder.string(),
                        std::string("cannot ") + what + " a temporary file of " + size_text(bytes) + ": " +
                            std::strerror(reason) + " (set TMPDIR to use another folder)",
                        full ? ErrorCode::no_resources : ErrorCode::file_unwritable);
    };
    const int file = mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) throw fail("create", errno);
    unlink(name.c_str());
    // Reserve the blocks now, so that a full disk causes an error message; with a sparse file, writing to the mapping
    // would raise SIGBUS.
    int reason = EINTR;  // retry if a signal interrupts the call
    while (reason == EINTR) reason = posix_fallocate(file, 0, static_cast<off_t>(bytes));
    if (reason != 0) {
      close(file);
      throw fail("reserve", reason);
    }
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    reason = errno;
    close(file);
    if (memory == MAP_FAILED) throw fail("map", reason);
    data_ = static_cast<T*>(memory);
    mapped_bytes_ = bytes;
  }

  Index images_, positions_, channels_;
  Buffer<T> memory_;
  T* data_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

/// Mean and standard deviation of each channel over all rows, computed in double. A constant channel gets deviation 1.
template <class T>
void channel_statistics(MatrixView<const T> rows, T* mean, T* std) {
  const auto channels = static_cast<std::size_t>(rows.cols);
  std::vector<double> sum(channels), squares(channels);
  for (Index r = 0; r < rows.rows; ++r)
    for (std::size_t c = 0; c < channels; ++c) sum[c] += static_cast<double>(rows.row(r)[c]);
  for (double& s : sum) s /= static_cast<double>(rows.rows);
  for (Index r = 0; r < rows.rows; ++r)
    for (std::size_t c = 0; c < channels; ++c) {
      const double d = static_cast<double>(rows.row(r)[c]) - sum[c];
      squares[c] += d * d;
    }
  for (std::size_t c = 0; c < channels; ++c) {
    const double deviation = std::sqrt(squares[c] / static_cast<double>(rows.rows));
    mean[c] = static_cast<T>(sum[c]);
    std[c] = deviation > 1e-12 ? static_cast<T>(deviation) : T{1};
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr
