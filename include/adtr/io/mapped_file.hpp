/// A memory-mapped file, read-only. The operating system loads a page when it is first touched.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "adtr/io/path_status.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Maps a whole regular file. Moving the object does not move the bytes. They stay valid when a rename (AtomicFile)
/// replaces the file. If a writer truncates the mapped file in place, reading it ends the process with SIGBUS.
class MappedFile {
 public:
  MappedFile() = default;

  /// Throws Error (file_missing, file_unreadable) unless the path names a readable regular file.
  explicit MappedFile(const std::string& path) {
    // Without O_NONBLOCK, opening a FIFO waits for a writer that may never come.
    const int fd = path.empty() ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) throw path_error(path, path.empty() ? ENOENT : errno);
    struct ::stat status {};
    int reason = 0;
    bool regular = false;
    if (::fstat(fd, &status) != 0) {
      reason = errno;
    } else if (regular = S_ISREG(status.st_mode); regular && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      if (void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0); mapped != MAP_FAILED) {
        data_ = mapped;
      } else {
        reason = errno;
        size_ = 0;
      }
    }
    ::close(fd);
    if (reason != 0 || !regular) throw path_error(path, reason);
  }

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
  ~MappedFile() {
    if (mapped_ && data_ != nullptr) ::munmap(const_cast<void*>(data_), size_);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

  /// Drops the pages of `part` from this process's memory; they are loaded again when touched.
  void release(std::span<const std::byte> part) const {
    if (!mapped_) return;
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data()), first = begin / page * page;
    ::madvise(reinterpret_cast<void*>(first), begin - first + part.size(), MADV_DONTNEED);  // a hint: ignore errors
  }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  bool mapped_ = true;  ///< whether the bytes are this object's own
};

}  // namespace ADTR_ABI
}  // namespace adtr
