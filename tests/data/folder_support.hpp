/// Helpers for the tests of folders: images that all differ, masks, errors with their codes, and a user without rights.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/data/folder.hpp"
#include "support.hpp"

namespace test_data {

using Names = std::vector<std::string>;
using adtr::ErrorCode;

inline constexpr adtr::ScanOptions allow{.allow = true};

/// Writes an image that differs from those of all other calls.
inline std::filesystem::path write_image(const std::filesystem::path& path, Index height = 6, Index width = 5) {
  static std::uint32_t number = 0;
  adtr::Image image = formula_image(height, width);
  ++number;
  for (std::size_t i = 0; i < 4; ++i) image.data[i] = static_cast<std::uint8_t>(number >> (8 * i));
  std::filesystem::create_directories(path.parent_path());
  adtr::write_png(path, image);
  return path;
}

/// Writes a black mask of 6x5 pixels, with one white pixel if `marked`.
inline std::filesystem::path write_mask(const std::filesystem::path& path, bool marked) {
  adtr::Image image(6, 5);
  image.data.assign(image.data.size(), 0);
  if (marked) image.row(3)[6] = image.row(3)[7] = image.row(3)[8] = 255;
  std::filesystem::create_directories(path.parent_path());
  adtr::write_png(path, image);
  return path;
}

inline Names names(const adtr::SampleSet& set) {
  Names result;
  for (const auto& sample : set) result.push_back(sample.kind + "/" + sample.path.filename().string());
  return result;
}

/// Like check_error(), and also checks the code.
template <class F>
void check_stops(F&& f, ErrorCode code, const std::filesystem::path& path, std::string_view words) {
  check_error(
      [&] {
        try {
          f();
        } catch (const adtr::Error& error) {
          INFO(error.what());
          CHECK(adtr::name_of(error.code()) == adtr::name_of(code));
          throw;
        }
      },
      path, words);
}

/// Returns the result of an action by a user without rights: "code: sentence" of its Error, or its return value. As
/// root, the action runs in a child process as the user `nobody`.
inline std::string as_nobody(const std::function<std::string()>& action) {
  const auto outcome = [&]() -> std::string {
    try {
      return action();
    } catch (const adtr::Error& error) {
      return std::string(adtr::name_of(error.code())) + ": " + error.what();
    } catch (const std::exception& error) {
      return std::string("not an Error: ") + error.what();
    }
  };
  if (::geteuid() != 0) return outcome();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string text = "no other user could be made";
    if (::setgid(65534) == 0 && ::setuid(65534) == 0) text = outcome();
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char block[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return text;
}

}  // namespace test_data
