/// Helpers for tests of files: the sentence and code of an error, and another user if the tests run as root.
#pragma once

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "adtr/core/error.hpp"
#include "weights/temporary.hpp"

/// Returns "code: sentence" of the Error that `action` throws; empty if it throws none.
inline std::string coded_error_of(const auto& action) {
  try {
    action();
  } catch (const adtr::Error& e) {
    return std::string(adtr::name_of(e.code())) + ": " + e.what();
  }
  return "";
}

/// Returns the text of `action` for a user who has to obey permissions: as root, runs it as nobody in a child process.
/// Returns nothing if that is impossible.
inline std::optional<std::string> as_user(const auto& action) {
  if (::geteuid() != 0) return action();
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return std::nullopt;
  const ::pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
    const std::string text = action();
    const bool whole = ::write(ends[1], text.data(), text.size()) == static_cast<::ssize_t>(text.size());
    ::_exit(whole ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 512> piece{};
  for (::ssize_t n = 0; (n = ::read(ends[0], piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return text;
}
