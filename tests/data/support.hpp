/// Helpers for the tests of data: golden files, images from the formula of make_golden.py, temporary folders.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/data/image.hpp"
#include "support/catch.hpp"

namespace test_data {

using adtr::Index;

inline std::filesystem::path golden() { return std::filesystem::path(ADTR_SOURCE_DIR) / "tests" / "data" / "golden"; }

/// The lines of golden/<name>.txt, each as a stream of its fields.
inline std::vector<std::istringstream> golden_lines(const std::string& name) {
  std::ifstream file(golden() / (name + ".txt"));
  std::vector<std::istringstream> lines;
  for (std::string line; std::getline(file, line);) lines.emplace_back(line);
  REQUIRE(!lines.empty());
  return lines;
}

/// The 64-bit FNV-1a hash, in the form of the golden files.
inline std::string fnv(const void* data, std::size_t size) {
  std::uint64_t value = 0xCBF29CE484222325;
  for (std::size_t i = 0; i < size; ++i) {
    value = (value ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001B3;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[value >> shift & 15];
  return text;
}
inline std::string fnv(const std::vector<std::uint8_t>& bytes) { return fnv(bytes.data(), bytes.size()); }

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// formula_image of make_golden.py, (height, width, channels).
inline std::vector<std::uint8_t> formula_pixels(Index height, Index width, Index channels) {
  std::vector<std::uint8_t> pixels;
  for (std::uint64_t y = 0; y < static_cast<std::uint64_t>(height); ++y)
    for (std::uint64_t x = 0; x < static_cast<std::uint64_t>(width); ++x)
      for (std::uint64_t c = 0; c < static_cast<std::uint64_t>(channels); ++c) {
        std::uint64_t mixed = (y * 73856093 + x * 19349663 + c * 83492791) & 0xFFFFFFFF;
        mixed = (mixed ^ mixed >> 13) * 2654435761 & 0xFFFFFFFF;
        const std::uint64_t noise = mixed >> 24;
        const std::uint64_t ramp = (y * 3 + x * 5 + c * 40) % 256;
        const std::uint64_t kind = (y / 8 + x / 8) % 4;
        pixels.push_back(static_cast<std::uint8_t>(kind == 0   ? noise
                                                   : kind == 1 ? ramp
                                                   : kind == 2 ? 255
                                                               : noise % 2 * 255));
      }
  return pixels;
}

inline adtr::Image formula_image(Index height, Index width) {
  adtr::Image image(height, width);
  image.data = formula_pixels(height, width, 3);
  return image;
}

/// A folder that is removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> counter{0};
    path_ = std::filesystem::temp_directory_path() /
            ("adtr_test_data_" + std::to_string(::getpid()) + "_" + std::to_string(counter++));
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Writes a file, and the folders above it.
inline std::filesystem::path write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// Checks that f throws an Error of one line that begins with the path and contains the words.
template <class F>
void check_error(F&& f, const std::filesystem::path& path, std::string_view words) {
  try {
    f();
  } catch (const adtr::Error& error) {
    const std::string what = error.what();
    INFO(what);
    CHECK(what.starts_with(path.string() + ": "));
    CHECK(what.find(words) != std::string::npos);
    CHECK(what.find('\n') == std::string::npos);
    return;
  }
  FAIL("no error for " << path << ", expected: " << words);
}

}  // namespace test_data
