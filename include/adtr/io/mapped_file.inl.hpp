/// The functions of MappedFile; see core/compiled.hpp.
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

#include "adtr/core/compiled.hpp"
#include "adtr/io/mapped_file.hpp"
#include "adtr/io/path_status.hpp"

namespace adtr {
inline namespace ADTR_ABI {

ADTR_FUNCTION MappedFile::MappedFile(const std::string& path) {
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

ADTR_FUNCTION MappedFile::~MappedFile() {
  if (mapped_ && data_ != nullptr) ::munmap(const_cast<void*>(data_), size_);
}

ADTR_FUNCTION void MappedFile::release(std::span<const std::byte> part) const {
  if (!mapped_) return;
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data()), first = begin / page * page;
  ::madvise(reinterpret_cast<void*>(first), begin - first + part.size(), MADV_DONTNEED);  // a hint: ignore errors
}

}  // namespace ADTR_ABI
}  // namespace adtr
