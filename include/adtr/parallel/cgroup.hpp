/// The processor-time limits that Linux control groups, and so containers, set for this process.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// The text of a small file; empty if it cannot be read.
[[nodiscard]] inline std::string small_file(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };
  std::string text;
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  char part[4096];
  while (file != nullptr)
    if (const std::size_t n = std::fread(part, 1, sizeof part, file.get()); n > 0)
      text.append(part, n);
    else
      break;
  return text;
}

/// Splits a text at separators and keeps empty parts.
[[nodiscard]] inline std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

[[nodiscard]] inline bool lists(std::string_view names, std::string_view name) {
  const auto parts = parts_of(names, ',');
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

/// The limit in processors: `quota` divided by `period`, both in microseconds. Empty if there is no limit (`max` or -1)
/// or the texts are not numbers.
[[nodiscard]] inline std::optional<double> cpu_quota(std::string_view quota, std::string_view period) {
  const auto number = [](std::string_view text) {
    long long value = -1;
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() ? value : -1;
  };
  const long long q = number(quota), p = number(period);
  if (q <= 0 || p <= 0) return std::nullopt;
  return static_cast<double>(q) / static_cast<double>(p);
}

/// The limit from cpu.max of version 2: `200000 100000` or `max 100000`.
[[nodiscard]] inline std::optional<double> cpu_quota(std::string_view cpu_max) {
  const std::size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return cpu_quota(cpu_max.substr(0, space), cpu_max.substr(space + 1));
}

/// A control group of a process: its folder, and the folder where its hierarchy is mounted.
struct CpuGroup {
  int version = 2;
  std::string mount, folder;
  friend bool operator==(const CpuGroup&, const CpuGroup&) = default;
};

/// Decodes a path from mountinfo, which writes spaces and backslashes as octal numbers: `\040`.
[[nodiscard]] inline std::string mount_path(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() && std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
      path += static_cast<char>(value);
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

/// The groups that limit a process, from the texts of /proc/self/cgroup and /proc/self/mountinfo. In a container, the
/// mounted folder may be the process's own group, while /proc/self/cgroup gives that group's path on the host machine
/// or no path below the mount at all.
[[nodiscard]] inline std::vector<CpuGroup> cpu_groups(std::string_view cgroup, std::string_view mountinfo) {
  std::vector<CpuGroup> groups;
  for (const std::string_view line : parts_of(cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const int version = line.starts_with("0:") && controllers.empty() ? 2 : 1;
    if (version == 1 && !lists(controllers, "cpu")) continue;

    std::vector<CpuGroup> inside, outside;
    for (const std::string_view mounted : parts_of(mountinfo, '\n')) {
      const std::size_t dash = mounted.find(" - ");
      if (dash == std::string_view::npos) continue;
      const auto left = parts_of(mounted.substr(0, dash), ' '), right = parts_of(mounted.substr(dash + 3), ' ');
      if (left.size() < 5 || right.size() < 3) continue;
      if (right[0] != (version == 2 ? "cgroup2" : "cgroup") || (version == 1 && !lists(right[2], "cpu"))) continue;
      const std::string root = mount_path(left[3]), mount = mount_path(left[4]);
      std::string_view below = path;
      if (root != "/" && below.starts_with(root)) below.remove_prefix(root.size());
      const bool within = (root == "/" || below.size() < path.size()) && (below.empty() || below.starts_with('/')) &&
                          below.find("/..") == std::string_view::npos;
      if (within)
        inside.push_back({version, mount, mount + std::string(below == "/" ? "" : below)});
      else
        outside.push_back({version, mount, mount});
    }
    const auto& found = inside.empty() ? outside : inside;
    groups.insert(groups.end(), found.begin(), found.end());
  }
  return groups;
}

/// The lowest quota of this process's groups and their parents, in processors; empty if there is no limit. Tests pass a
/// `root` that is put before every path.
[[nodiscard]] inline std::optional<double> min_cpu_quota(const std::string& root = "") {
  std::optional<double> lowest;
  for (const CpuGroup& group :
       cpu_groups(small_file(root + "/proc/self/cgroup"), small_file(root + "/proc/self/mountinfo"))) {
    for (std::string folder = group.folder; folder.size() >= group.mount.size();) {
      const std::string at = root + folder + '/';
      const auto quota = group.version == 2
                             ? cpu_quota(small_file(at + "cpu.max"))
                             : cpu_quota(small_file(at + "cpu.cfs_quota_us"), small_file(at + "cpu.cfs_period_us"));
      if (quota && (!lowest || *quota < *lowest)) lowest = quota;
      const std::size_t slash = folder.rfind('/');
      if (slash == std::string::npos || folder.empty()) break;
      folder.resize(slash);
    }
  }
  return lowest;
}

/// `processors`, or the quota (in processors, rounded up) if that is lower. At least 1.
[[nodiscard]] inline int within_quota(int processors, std::optional<double> quota) {
  if (!quota || *quota >= static_cast<double>(processors)) return (std::max)(1, processors);
  return (std::max)(1, static_cast<int>(std::ceil(*quota)));
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
