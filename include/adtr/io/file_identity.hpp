/// The identity of a file, independent of the path that names it.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Device and inode of an existing file or folder. Every name, hard link and symbolic link of it gives the same id.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

struct FileIdHash {
  [[nodiscard]] std::size_t operator()(const FileId& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.inode * 0x9E3779B97F4A7C15 ^ id.device);
  }
};

[[nodiscard]] inline FileId file_id(const struct ::stat& status) {
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

/// The descriptor that a path such as /dev/stdout, /dev/fd/3 or /proc/self/fd/3 stands for. It may lead to a regular
/// file, when a shell redirects the output: write such a file through the descriptor instead of replacing it.
[[nodiscard]] inline std::optional<int> standard_descriptor(std::string_view path) {
  if (path == "/dev/stdin") return 0;
  if (path == "/dev/stdout") return 1;
  if (path == "/dev/stderr") return 2;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    const std::string_view digits = path.substr(folder.size());
    int number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{} && end == digits.data() + digits.size() && number >= 0) return number;
  }
  return std::nullopt;
}

/// The absolute path of the file that is read or created at `path`, without links, "." and "..". A dangling link is
/// followed to its target. If the file does not exist yet, the folders that exist are resolved. Sets `error` if the
/// path cannot be resolved, for example in a loop of links.
[[nodiscard]] inline std::filesystem::path resolved_path(const std::filesystem::path& path, std::error_code& error) {
  namespace fs = std::filesystem;
  fs::path at = fs::absolute(path, error);
  if (error) return at;
  if (!at.has_filename()) at = at.parent_path();  // trailing slash
  constexpr int max_links = 40;                   // the limit of Linux
  for (int links = 0; links <= max_links; ++links) {
    fs::path folder = fs::weakly_canonical(at.parent_path(), error);
    if (error) return at;
    const fs::path name = at.filename();
    if (name == "." || name == "..") return fs::weakly_canonical(at, error);
    at = folder / name;
    std::error_code no_link;
    const fs::path target = fs::read_symlink(at, no_link);
    if (no_link) return at;
    at = folder / target;
    if (!at.has_filename()) at = at.parent_path();
  }
  error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
  return at;
}

}  // namespace ADTR_ABI
}  // namespace adtr
