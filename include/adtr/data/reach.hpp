/// What a path leads to through links, and why it cannot be reached, in one sentence.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "adtr/core/error.hpp"
#include "adtr/io/path_status.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// What stands at the end of a path; nothing is opened.
struct Reached {
  ::mode_t mode = 0;           ///< 0 where nothing could be reached
  std::optional<Error> error;  ///< why

  [[nodiscard]] bool folder() const { return S_ISDIR(mode); }
  [[nodiscard]] bool file() const { return S_ISREG(mode); }
  /// "a file", "a pipe"
  [[nodiscard]] const char* name() const { return kind_of_file(mode); }
};

/// Follows `path`, which is wanted for `use`. Not reached: an error as of path_error().
inline Reached reach(const std::filesystem::path& path, PathUse use = PathUse::read_file) {
  struct ::stat status {};
  Reached reached;
  if (::stat(path.c_str(), &status) != 0)
    reached.error = path_error(path, errno, use);
  else
    reached.mode = status.st_mode;
  return reached;
}

/// Whether something stands at `path`, be it a link that leads nowhere.
inline bool stands(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
