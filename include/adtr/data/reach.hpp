/// What a path leads to through links, and why it cannot be reached, in one sentence.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "adtr/core/error.hpp"

namespace adtr::inline ADTR_ABI::detail {

/// What stands at the end of a path; nothing is opened.
struct Reached {
  std::filesystem::file_type type = std::filesystem::file_type::none;
  std::optional<Error> error;  ///< why nothing could be reached

  [[nodiscard]] bool folder() const { return type == std::filesystem::file_type::directory; }
  [[nodiscard]] bool file() const { return type == std::filesystem::file_type::regular; }
  /// "a file", "a named pipe"
  [[nodiscard]] const char* name() const {
    switch (type) {
      case std::filesystem::file_type::regular:
        return "a file";
      case std::filesystem::file_type::directory:
        return "a folder";
      case std::filesystem::file_type::fifo:
        return "a named pipe";
      case std::filesystem::file_type::socket:
        return "a socket";
      case std::filesystem::file_type::character:
      case std::filesystem::file_type::block:
        return "a device";
      default:
        return "something that is neither a file nor a folder";
    }
  }
};

/// Follows `path`. Not reached: file_missing ("no such file", or as `missing` says; a link to something that does not
/// exist) or file_unreadable (a circle of links, no permission, …).
inline Reached reach(const std::filesystem::path& path, const char* missing = "no such file") {
  std::error_code error;
  Reached reached;
  reached.type = std::filesystem::status(path, error).type();
  if (reached.type == std::filesystem::file_type::not_found) {
    std::error_code ignored;
    std::string sentence = missing;
    if (std::filesystem::symlink_status(path, ignored).type() == std::filesystem::file_type::symlink)
      sentence = "a link to " + std::filesystem::read_symlink(path, ignored).string() + ", which does not exist";
    reached.error = file_error(path.string(), sentence, ErrorCode::file_missing);
  } else if (error == std::errc::too_many_symbolic_link_levels) {
    reached.error = file_error(path.string(), "a link that leads round in a circle", ErrorCode::file_unreadable);
  } else if (error == std::errc::permission_denied) {
    reached.error = file_error(path.string(), "cannot be reached: no permission for one of the folders on the way",
                               ErrorCode::file_unreadable);
  } else if (error || reached.type == std::filesystem::file_type::none) {
    reached.error = file_error(path.string(), "cannot be reached: " + error.message(), ErrorCode::file_unreadable);
  }
  return reached;
}

/// Whether something stands at `path`, be it a link that leads nowhere.
inline bool stands(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() != std::filesystem::file_type::not_found;
}

/// Error: no name (option), no such folder (file_missing), a file or out of reach (file_unreadable).
inline void expect_folder(const std::filesystem::path& folder) {
  if (folder.empty()) throw Error("expected the name of a folder, found an empty name", ErrorCode::option);
  const Reached reached = reach(folder, "no such folder");
  if (reached.error) throw *reached.error;
  if (!reached.folder())
    throw file_error(folder.string(), std::string("expected a folder, found ") + reached.name(),
                     ErrorCode::file_unreadable);
}

}  // namespace adtr::inline ADTR_ABI::detail
