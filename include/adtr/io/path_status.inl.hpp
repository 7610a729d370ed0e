/// The functions of path_status.hpp; see core/compiled.hpp.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include "adtr/core/compiled.hpp"
#include "adtr/core/error.hpp"
#include "adtr/io/path_status.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

ADTR_FUNCTION const char* kind_of_file(::mode_t mode) {
  if (S_ISREG(mode)) return "a file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

[[nodiscard]] inline const char* kind_at(const std::filesystem::path& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 ? kind_of_file(status.st_mode) : "no folder";
}

/// The first part of a path that cannot be followed, and the system's error number for it.
struct PathStop {
  std::filesystem::path at;  ///< empty where the whole path can be followed
  int reason = 0;
  bool link = false;  ///< it is a symbolic link
  bool last = false;  ///< it is the whole path
  ::mode_t mode = 0;  ///< of the whole path, if it can be followed
};

[[nodiscard]] inline PathStop follow_path(const std::filesystem::path& path) {
  PathStop stop;
  std::filesystem::path at;
  struct ::stat status {};
  for (auto part = path.begin(); part != path.end(); ++part) {
    at /= *part;
    if (::stat(at.c_str(), &status) == 0) continue;
    stop.reason = errno;
    stop.at = at;
    stop.link = ::lstat(at.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    stop.last = std::next(part) == path.end();
    return stop;
  }
  stop.mode = status.st_mode;
  return stop;
}

ADTR_FUNCTION std::filesystem::path folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  return folder.empty() ? "." : folder;
}

[[nodiscard]] inline bool writes(PathUse use) { return use == PathUse::write_file || use == PathUse::make_folder; }
[[nodiscard]] inline bool wants_folder(PathUse use) {
  return use == PathUse::read_folder || use == PathUse::make_folder;
}

/// The sentence, without "cannot be ...: ", for a path that cannot be followed beyond `stop`.
[[nodiscard]] inline PathProblem describe_stop(const PathStop& stop, PathUse use) {
  const ErrorCode access = writes(use) ? ErrorCode::file_unwritable : ErrorCode::file_unreadable;
  const std::string at = stop.at.string();
  const std::string link = stop.last ? "it is a link" : at + " is a link";
  std::error_code ignored;
  const std::string target = stop.link ? std::filesystem::read_symlink(stop.at, ignored).string() : "";
  const std::string to = link + " to " + target;
  switch (stop.reason) {
    case ENOENT:
      if (stop.link) return {to + ", which does not exist", writes(use) ? access : ErrorCode::file_missing};
      if (!stop.last) return {"there is no folder " + at, writes(use) ? access : ErrorCode::file_missing};
      return {wants_folder(use) ? "no such folder" : "no such file", ErrorCode::file_missing};
    case ELOOP:
      return {stop.link ? to + ", and the links lead back to where they began" : at + " is a loop of links", access};
    case EACCES:
      if (stop.link) return {to + ", and a folder on the way there may not be entered (permission denied)", access};
      return {"the folder " + folder_of(stop.at).string() + " may not be entered (permission denied)", access};
    case ENOTDIR:
      if (stop.link) return {to + ", and a part of that is a file, expected a folder", access};
      return {stop.at.parent_path().string() + " is " + kind_at(stop.at.parent_path()) + ", expected a folder", access};
    case ENAMETOOLONG:
      return {"its name is too long for the file system", access};
    default:
      return {std::generic_category().message(stop.reason), access};
  }
}

}  // namespace detail

ADTR_FUNCTION PathProblem describe_path_problem(const std::filesystem::path& path, int reason, PathUse use) {
  const bool writing = detail::writes(use);
  const bool folder = detail::wants_folder(use);
  const ErrorCode access = writing ? ErrorCode::file_unwritable : ErrorCode::file_unreadable;
  const std::string before = writing ? (folder ? "cannot be made: " : "cannot be written: ") : "cannot be read: ";
  if (path.empty())
    return {folder ? "expected the name of a folder, found an empty one"
                   : "expected the name of a file, found an empty one",
            ErrorCode::option};
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return {before + std::generic_category().message(reason), ErrorCode::no_resources};
    default:
      break;
  }
  const detail::PathStop stop = detail::follow_path(path);
  if (stop.reason == ENOENT && stop.link && stop.last && use == PathUse::write_file) {
    // A file may be created through a dangling link, so the problem lies at its target.
    std::error_code ignored;
    const std::filesystem::path target = std::filesystem::read_symlink(stop.at, ignored);
    PathProblem problem = describe_path_problem(detail::folder_of(path) / target, reason, use);
    if (problem.sentence.starts_with(before)) problem.sentence.erase(0, before.size());
    problem.sentence = before + "it is a link to " + target.string() + ", and " + problem.sentence;
    return problem;
  }
  if (!stop.at.empty()) {
    const bool absent = stop.reason == ENOENT && !stop.link;
    // A file that is to be created may be missing, so the problem is the folder that it goes into.
    if (absent && writing && (stop.last || folder)) {
      if (reason == 0 || reason == ENOENT || reason == EACCES || reason == EPERM)
        return {
            before + "the folder " + detail::folder_of(stop.at).string() + " may not be written to (permission denied)",
            access};
      return {before + std::generic_category().message(reason), access};
    }
    PathProblem problem = detail::describe_stop(stop, use);
    if (!(absent && stop.last)) problem.sentence = before + problem.sentence;
    return problem;
  }
  const bool is_folder = S_ISDIR(stop.mode);
  if (folder && !is_folder) return {std::string("expected a folder, found ") + detail::kind_of_file(stop.mode), access};
  if (!folder && is_folder) return {before + "it is a folder, expected a file", access};
  if (use == PathUse::read_file && !S_ISREG(stop.mode))
    return {before + "it is " + detail::kind_of_file(stop.mode) + ", expected a file", access};
  if (reason == EACCES || reason == EPERM) {
    if (use == PathUse::write_file && ::access(path.c_str(), W_OK) == 0)
      return {before + "the folder " + detail::folder_of(path).string() + " may not be written to (permission denied)",
              access};
    const char* what = writing ? "it may not be written to" : folder ? "it may not be listed" : "it may not be read";
    return {before + what + " (permission denied)", access};
  }
  return {before + (reason == 0 ? std::string("the cause is not known") : std::generic_category().message(reason)),
          access};
}

ADTR_FUNCTION Error path_error(const std::filesystem::path& path, int reason, PathUse use) {
  const PathProblem problem = describe_path_problem(path, reason, use);
  return path.empty() ? Error(problem.sentence, problem.code)
                      : file_error(path.string(), problem.sentence, problem.code);
}

ADTR_FUNCTION void expect_file(const std::filesystem::path& path) {
  struct ::stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) throw path_error(path, path.empty() ? ENOENT : errno);
  if (!S_ISREG(status.st_mode)) throw path_error(path, 0);
  if (::access(path.c_str(), R_OK) != 0) throw path_error(path, errno);
}

ADTR_FUNCTION void expect_folder(const std::filesystem::path& path) {
  struct ::stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0)
    throw path_error(path, path.empty() ? ENOENT : errno, PathUse::read_folder);
  if (!S_ISDIR(status.st_mode)) throw path_error(path, 0, PathUse::read_folder);
  if (::access(path.c_str(), R_OK | X_OK) != 0) throw path_error(path, errno, PathUse::read_folder);
}

}  // namespace ADTR_ABI
}  // namespace adtr
