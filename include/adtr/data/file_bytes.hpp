/// Reads the bytes of an image file, or says in one sentence why it cannot.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/io/path_status.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// A file descriptor that is closed by the destructor.
struct OpenFile {
  explicit OpenFile(int descriptor) : fd(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

/// Returns all bytes of a file. Never waits for a pipe or a device. Error: an empty path, no such file, a link to
/// nothing or in a loop, no permission, a folder, a pipe or a device, more than 2 GiB, a file that shrinks while it is
/// read.
inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (name.empty()) throw Error("expected the path of an image, found an empty path", ErrorCode::file_missing);
  const auto unwanted = [&](::mode_t mode) {
    if (!S_ISREG(mode))
      throw file_error(name, std::string("expected an image, found ") + kind_of_file(mode), ErrorCode::file_unreadable);
  };
  struct ::stat status {};
  if (::stat(name.c_str(), &status) != 0) throw path_error(path, errno);
  unwanted(status.st_mode);  // checked before opening, which may have an effect on a device
  const OpenFile file(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) throw path_error(path, errno);
  unwanted(status.st_mode);
  if (status.st_size > INT_MAX) {
    throw file_error(name, "expected an image of less than 2 GiB, found a larger file", ErrorCode::bad_image);
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const ::ssize_t n = ::read(file.fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw path_error(path, errno);
    if (n == 0) {
      throw file_error(name, "cannot be read: it became shorter while it was read", ErrorCode::file_unreadable);
    }
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
