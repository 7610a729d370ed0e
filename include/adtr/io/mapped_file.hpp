/// A memory-mapped file, read-only. The operating system loads a page when it is first touched.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Maps a whole regular file. Moving the object does not move the bytes. They stay valid when a rename (AtomicFile)
/// replaces the file. If a writer truncates the mapped file in place, reading it ends the process with SIGBUS.
class MappedFile {
 public:
  MappedFile() = default;

  /// Throws Error (file_missing, file_unreadable) unless the path names a readable regular file.
  explicit MappedFile(const std::string& path);

  /// Stands for a file whose bytes the caller has in memory: unmaps and releases nothing. They must outlive the object.
  [[nodiscard]] static MappedFile view(std::span<const std::byte> bytes) {
    MappedFile file;
    file.data_ = bytes.data();
    file.size_ = bytes.size();
    file.mapped_ = false;
    return file;
  }

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), mapped_(other.mapped_) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    return *this;
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

  /// Drops the pages of `part` from this process's memory; they are loaded again when touched.
  void release(std::span<const std::byte> part) const;

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  bool mapped_ = true;  ///< whether the bytes are this object's own
};

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/io/mapped_file.inl.hpp"
#endif
