/// Which file a path means, whatever way leads to it.
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

/// A file or folder that exists, by device and inode: the same for every name, hard link and symbolic link of it.
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

/// The descriptor that a path such as /dev/stdout, /dev/fd/3 or /proc/self/fd/3 stands for. Behind it may be a regular
/// file, to which a shell sends the output: it must be written to through the descriptor, not replaced.
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

/// The absolute path of the file that is read or made at `path`, without links, "." and "..": through links that dangle
/// to where they point, and for what does not exist yet by the folders that do. `error` is set where that cannot be
/// told, as in a loop of links.
[[nodiscard]] inline std::filesystem::path resolved_path(const std::filesystem::path& path, std::error_code& error) {
  namespace fs = std::filesystem;
  fs::path at = fs::absolute(path, error);
  if (error) return at;
  if (!at.has_filename()) at = at.parent_path();  // a slash at the end
  constexpr int max_links = 40;                   // as Linux
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
