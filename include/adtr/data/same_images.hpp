/// Finds files that are in two lists: the same file under another name, or the same bytes.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// The result of stat() on a file; size 0 if it fails.
struct FileFacts {
  std::filesystem::path path;
  std::uint64_t device = 0, inode = 0, size = 0;

  explicit FileFacts(const std::filesystem::path& of) : path(of) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    device = static_cast<std::uint64_t>(facts.st_dev);
    inode = static_cast<std::uint64_t>(facts.st_ino);
    size = static_cast<std::uint64_t>(facts.st_size);
  }

  /// Hash of `count` bytes from `begin` (64-bit FNV-1a). If they cannot be read, hash of device and inode, so that such
  /// a file equals only itself.
  [[nodiscard]] std::uint64_t hash(std::uint64_t begin, std::uint64_t count) const {
    std::uint64_t value = 0xCBF29CE484222325;
    const auto mix = [&](std::string_view bytes) {
      for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    };
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(begin));
    std::array<char, 32768> block;
    for (std::uint64_t left = count; left > 0;) {
      const auto wanted = static_cast<std::streamsize>(std::min<std::uint64_t>(left, block.size()));
      if (!in.read(block.data(), wanted)) return (device * 0x9E3779B97F4A7C15) ^ inode;
      mix({block.data(), static_cast<std::size_t>(wanted)});
      left -= static_cast<std::uint64_t>(wanted);
    }
    return value;
  }
};

/// Returns pairs (index in `a`, index in `b`) of equal files, at most one per file of `b`, in the order of `b`.
/// Compares sizes first, then 4 KiB from the middle, and reads to the end only files that agree so far. The cost is a
/// stat() per file, and one block of each file that has the size of a file in the other list.
inline std::vector<std::pair<std::size_t, std::size_t>> same_files(const std::vector<std::filesystem::path>& a,
                                                                   const std::vector<std::filesystem::path>& b) {
  struct Group {
    std::vector<std::size_t> a, b;
  };
  std::vector<FileFacts> facts_a(a.begin(), a.end()), facts_b(b.begin(), b.end());
  std::vector<Group> groups(1);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (facts_a[i].size > 0) groups[0].a.push_back(i);
  for (std::size_t i = 0; i < b.size(); ++i)
    if (facts_b[i].size > 0) groups[0].b.push_back(i);
  const auto refine = [&](auto key) {
    std::vector<Group> finer;
    for (const Group& group : groups) {
      std::map<std::uint64_t, Group> parts;
      for (const std::size_t i : group.a) parts[key(facts_a[i])].a.push_back(i);
      for (const std::size_t i : group.b) parts[key(facts_b[i])].b.push_back(i);
      for (auto& [value, part] : parts)
        if (!part.a.empty() && !part.b.empty()) finer.push_back(std::move(part));
    }
    groups = std::move(finer);
  };
  refine([](const FileFacts& f) { return f.size; });
  refine([](const FileFacts& f) {
    const auto block = std::min<std::uint64_t>(f.size, 4096);
    return f.hash((f.size - block) / 2, block);
  });
  refine([](const FileFacts& f) { return f.hash(0, f.size); });
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const Group& group : groups)
    for (const std::size_t i : group.b) pairs.emplace_back(group.a.front(), i);
  std::sort(pairs.begin(), pairs.end(), [](const auto& p, const auto& q) { return p.second < q.second; });
  return pairs;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
