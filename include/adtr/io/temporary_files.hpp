/// The temporary files of AtomicFile: their names, their owners, and the removal of those that killed processes left.
///
/// A writer locks (flock) its temporary file when it creates it and holds the lock until the file has its final name.
/// The kernel drops the lock when the process ends, however it ends. So a file that can be locked has no owner. This
/// works even if process numbers are reused, and in containers, which number their own processes.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "adtr/io/file_identity.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a file name, without its folder, has the form that AtomicFile gives: `.adtr-PROCESS-NUMBER.tmp`.
[[nodiscard]] inline bool is_temporary_name(std::string_view name) {
  constexpr std::string_view begin = ".adtr-", end = ".tmp";
  if (name.size() < begin.size() + end.size() || !name.starts_with(begin) || !name.ends_with(end)) return false;
  name = name.substr(begin.size(), name.size() - begin.size() - end.size());
  const std::size_t dash = name.find('-');
  const auto number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dash != std::string_view::npos && number(name.substr(0, dash)) && number(name.substr(dash + 1));
}

namespace detail {

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Whether every process that could hold a lock in this folder is known to see it: true on local file systems. On
/// network and user-space file systems a lock may be visible on one machine only, depending on how they are mounted.
[[nodiscard]] inline bool locks_are_clear(int folder) {
  struct ::statfs status {};
  if (::fstatfs(folder, &status) != 0) return false;
  constexpr std::array<std::uint32_t, 13> local{
      0xEF53,      // ext2, ext3, ext4
      0x58465342,  // XFS
      0x9123683E,  // Btrfs
      0x01021994,  // tmpfs
      0x794C7630,  // overlayfs: containers
      0xF2F52010,  // F2FS
      0x2FC12FC1,  // ZFS
      0xCA451A4E,  // bcachefs
      0x858458F6,  // ramfs
      0x2011BAB0,  // exFAT
      0x4D44,      // FAT
      0x7366746E,  // NTFS
      0x3153464A   // JFS
  };
  return std::find(local.begin(), local.end(), static_cast<std::uint32_t>(status.f_type)) != local.end();
}

/// Removes the named file if it is regular, belongs to this user, has no other name, and is not locked.
inline bool remove_where_unowned(int folder, const char* name) {
  const Descriptor file(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct ::stat opened {};
  struct ::stat named {};
  if (!file.valid() || ::fstat(file.get(), &opened) != 0) return false;
  if (!S_ISREG(opened.st_mode) || opened.st_uid != ::geteuid() || opened.st_nlink != 1) return false;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  // Before we got the lock, the owner may have renamed the file, and another file may have taken this name.
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || !(file_id(named) == file_id(opened))) return false;
  return ::unlinkat(folder, name, 0) == 0;
}

}  // namespace detail

/// Removes the temporary files of adtr whose owner is gone from a folder, and returns their number. Keeps files that
/// another process or thread is still writing, and all files on file systems where this is unknown (network, FUSE).
inline std::size_t remove_stale_temporaries(const std::string& folder) {
  ::DIR* const list = ::opendir(folder.c_str());
  if (list == nullptr) return 0;  // A folder may be writable but not listable.
  std::size_t removed = 0;
  const int fd = ::dirfd(list);
  if (detail::locks_are_clear(fd))
    while (const ::dirent* entry = ::readdir(list))
      if (is_temporary_name(entry->d_name) && detail::remove_where_unowned(fd, entry->d_name)) ++removed;
  ::closedir(list);
  return removed;
}

/// Calls remove_stale_temporaries() once per folder and process: listing a folder of ten thousand maps before each map
/// would take longer than making them.
inline void remove_stale_temporaries_once(const std::string& folder) {
  static std::mutex mutex;
  static std::unordered_set<std::string> done;
  struct ::stat status {};
  if (::stat(folder.c_str(), &status) != 0) return;
  {
    const std::lock_guard lock(mutex);
    // The name is part of the key, because a new folder may reuse the inode of a deleted one.
    if (!done.insert(std::to_string(status.st_ino) + ' ' + folder).second) return;
  }
  remove_stale_temporaries(folder);
}

/// Creates and locks a temporary file, and returns its descriptor, open for writing, and its path. Returns -1 and an
/// empty path, with errno set, if it cannot be created. On file systems without locks the file is not locked.
[[nodiscard]] inline std::pair<int, std::string> make_temporary(const std::string& folder) {
  static std::atomic<unsigned> counter{0};
  // A killed process may have left a file of this name, because process numbers are reused: try the next name.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::string name = ".adtr-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
    std::string path = folder + "/" + name;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return {-1, ""};
    // Before the lock is held, another process may take the file for one without an owner and remove it.
    const bool taken = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    struct ::stat status {};
    if (!taken && (::fstat(fd, &status) != 0 || status.st_nlink > 0)) return {fd, std::move(path)};
    ::close(fd);
  }
  errno = EEXIST;
  return {-1, ""};
}

}  // namespace ADTR_ABI
}  // namespace adtr
