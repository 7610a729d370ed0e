/// Why a path cannot be used: a sentence and a code instead of the system's message, which often names the wrong cause.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The intended use of a path.
enum class PathUse : std::uint8_t {
  read_file,
  read_folder,  ///< to list it
  write_file,   ///< to create it, or to replace it
  make_folder   ///< to create it, with the folders above it
};

/// One sentence without the path itself, for file_error(), and the code that goes with it.
struct PathProblem {
  std::string sentence;
  ErrorCode code = ErrorCode::other;
};

namespace detail {

/// The kind of file that a mode describes, such as "a folder" or "a pipe".
[[nodiscard]] const char* kind_of_file(::mode_t mode);

/// The folder that contains `path`; "." if the path names none.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace detail

/// Describes what is wrong with `path` for `use` after a system call failed with the error number `reason`. Pass 0 if
/// no call failed but the path may be of the wrong kind. Recognises a missing file, a missing parent folder, a dangling
/// link, a loop of links, a folder that may not be entered, a file that may not be read, a folder in place of a file
/// and the reverse, pipes and devices, long and empty names, and a full disk. Otherwise it gives the system's message.
[[nodiscard]] PathProblem describe_path_problem(const std::filesystem::path& path, int reason,
                                                PathUse use = PathUse::read_file);

/// describe_path_problem() as an Error that names the path.
[[nodiscard]] Error path_error(const std::filesystem::path& path, int reason, PathUse use = PathUse::read_file);

/// Throws path_error() unless `path` is a readable file. Does not open the file.
void expect_file(const std::filesystem::path& path);

/// Throws path_error() unless `path` is a folder that may be listed.
void expect_folder(const std::filesystem::path& path);

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/io/path_status.inl.hpp"
#endif
