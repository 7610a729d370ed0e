/// The temporary files of AtomicFile: how they are named, who owns them, and how those of killed processes go.
///
/// A writer holds a lock (flock) on its temporary file from the moment in which it makes it until the file has its
/// final name. The kernel drops the lock when the process ends, however it ends. So a file that can be locked has no
/// owner: this holds where process numbers come again and in containers, which number their processes for themselves.
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

/// Whether a file's name, without its folder, is one that AtomicFile gives: `.adtr-PROCESS-NUMBER.tmp`
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

/// Whether locks in this folder are known to reach every process that could hold one: on file systems of this machine.
/// On network file systems and in user space a lock may be kept to one machine, which depends on how they are mounted.
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

/// Removes one file of this name where it is regular, this user's, has no other name, and nobody has locked it.
inline bool remove_where_unowned(int folder, const char* name) {
  const Descriptor file(::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct ::stat opened {};
  struct ::stat named {};
  if (!file.valid() || ::fstat(file.get(), &opened) != 0) return false;
  if (!S_ISREG(opened.st_mode) || opened.st_uid != ::geteuid() || opened.st_nlink != 1) return false;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  // Before the lock was had, the owner may have given the file its final name, and another have taken this one.
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || !(file_id(named) == file_id(opened))) return false;
  return ::unlinkat(folder, name, 0) == 0;
}

}  // namespace detail

/// Removes from a folder the temporary files of adtr whose owner is gone, and returns how many. What another process or
/// thread still writes stays, and so does everything on file systems on which that cannot be told (network, FUSE).
inline std::size_t remove_stale_temporaries(const std::string& folder) {
  ::DIR* const list = ::opendir(folder.c_str());
  if (list == nullptr) return 0;  // A folder may be written to without the right to list it.
  std::size_t removed = 0;
  const int fd = ::dirfd(list);
  if (detail::locks_are_clear(fd))
    while (const ::dirent* entry = ::readdir(list))
      if (is_temporary_name(entry->d_name) && detail::remove_where_unowned(fd, entry->d_name)) ++removed;
  ::closedir(list);
  return removed;
}

/// The same for each folder once in the life of this process: listing a folder of ten thousand maps for each map would
/// take longer than making them.
inline void remove_stale_temporaries_once(const std::string& folder) {
  static std::mutex mutex;
  static std::unordered_set<std::string> done;
  struct ::stat status {};
  if (::stat(folder.c_str(), &status) != 0) return;
  {
    const std::lock_guard lock(mutex);
    // With the name, as a folder that is deleted leaves its inode to the next.
    if (!done.insert(std::to_string(status.st_ino) + ' ' + folder).second) return;
  }
  remove_stale_temporaries(folder);
}

/// Makes a temporary file that is locked, and returns its descriptor, open for writing, and its path; -1 and an empty
/// path, with errno set, where the folder does not take one. On file systems without locks it is not locked.
[[nodiscard]] inline std::pair<int, std::string> make_temporary(const std::string& folder) {
  static std::atomic<unsigned> counter{0};
  // A killed process may leave its file behind, and process numbers come again: take the next name.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::string name = ".adtr-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
    std::string path = folder + "/" + name;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return {-1, ""};
    // Between the two calls somebody may find the file without an owner and remove it.
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
