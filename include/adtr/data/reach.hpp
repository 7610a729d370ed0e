/// What a path leads to through links or, in one sentence, why it cannot be reached.
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

/// The target of a path; nothing is opened.
struct Reached {
  ::mode_t mode = 0;           ///< 0 if nothing could be reached
  std::optional<Error> error;  ///< why it could not be reached

  [[nodiscard]] bool folder() const { return S_ISDIR(mode); }
  [[nodiscard]] bool file() const { return S_ISREG(mode); }
  /// Such as "a file" or "a pipe".
  [[nodiscard]] const char* name() const { return kind_of_file(mode); }
};

/// Follows `path`, which is needed for `use`. If it cannot be reached, the result holds the error of path_error().
inline Reached reach(const std::filesystem::path& path, PathUse use = PathUse::read_file) {
  struct ::stat status {};
  Reached reached;
  if (::stat(path.c_str(), &status) != 0)
    reached.error = path_error(path, errno, use);
  else
    reached.mode = status.st_mode;
  return reached;
}

/// Whether something exists at `path`, even a link that leads nowhere.
inline bool stands(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
