/// Atomic file writes: whatever fails, even the power, the old file survives until the new one is complete.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "adtr/core/error.hpp"
#include "adtr/io/file_identity.hpp"
#include "adtr/io/path_status.hpp"
#include "adtr/io/temporary_files.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Writes to a temporary file in the folder of `path` and renames it over `path` in commit(). If commit() is never
/// called, because of an exception or an early return, the destructor removes the temporary file and `path` is
/// unchanged. Every failure throws an Error that names `path` and the reason (describe_path_problem), usually with the
/// code file_unwritable, or no_resources for a full disk. A device or a pipe is written directly, because a rename
/// would put a file in its place. So is a standard stream (/dev/stdout), whatever the shell has connected to it. A
/// symbolic link is kept: the file that it points to is replaced, or created if the link dangles.
///
/// A killed process leaves its temporary file (.adtr-PROCESS-NUMBER.tmp) behind. The next process that writes to the
/// folder removes temporary files whose owner is gone, see remove_stale_temporaries().
class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) fail(ENOENT);
    if (const auto stream = standard_descriptor(path_)) {
      fd_ = ::fcntl(*stream, F_DUPFD_CLOEXEC, 0);
      if (fd_ < 0) fail(errno);
      return;
    }
    struct ::stat status {};
    const bool exists = ::stat(path_.c_str(), &status) == 0;
    if (!exists && errno != ENOENT) fail(errno);
    if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
      fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd_ < 0) fail(errno);
      return;
    }
    // Check the file itself: the rename needs only the folder's permission, so it would succeed.
    if (exists && ::access(path_.c_str(), W_OK) != 0) fail(errno);
    if (path_.ends_with('/')) fail(ENOENT);
    std::error_code error;
    target_ = resolved_path(path_, error).string();
    if (error) fail(error.value());
    open_temporary();
    // A new file follows the umask; a replacement keeps the permissions of the old file.
    if (exists && ::fchmod(fd_, status.st_mode & 0777) != 0) {
      const int reason = errno;
      discard();
      fail(reason);
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      // Linux writes at most 2 GiB per call.
      const ::ssize_t n = ::write(fd_, bytes.data(), (std::min)(bytes.size(), std::size_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Makes the bytes durable and puts the file in its place. Call once, after the last write.
  void commit() {
    if (!temporary_.empty() && ::fsync(fd_) != 0) fail(errno);
    // Hold the lock until the rename; otherwise another process could take the file for one without an owner.
    const detail::Descriptor locked(temporary_.empty() ? -1 : ::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
    // Network and quota file systems may report a full disk only now.
    if (::close(std::exchange(fd_, -1)) != 0) fail(errno);
    if (temporary_.empty()) return;
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    temporary_.clear();
    sync_folder();
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void open_temporary() {
    const std::string folder = std::filesystem::path(target_).parent_path().string();
    remove_stale_temporaries_once(folder);
    std::tie(fd_, temporary_) = make_temporary(folder);
    if (fd_ < 0) fail(errno);
  }

  /// A rename is durable once the folder is synced. File systems that cannot sync a folder return EINVAL or ENOTSUP.
  void sync_folder() {
    const std::string folder = std::filesystem::path(target_).parent_path().string();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;  // A folder may be writable but not listable.
    const int reason = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (reason != 0 && reason != EINVAL && reason != ENOTSUP) fail(reason);
  }

  void discard() noexcept {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    temporary_.clear();
  }

  [[noreturn]] void fail(int reason) const { throw path_error(path_, reason, PathUse::write_file); }

  std::string path_;
  std::string target_;     ///< path_ with links followed; empty for a device, a pipe or a stream
  std::string temporary_;  ///< empty once renamed, and for a device, a pipe or a stream
  int fd_ = -1;
};

}  // namespace ADTR_ABI
}  // namespace adtr
