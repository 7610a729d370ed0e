/// Collects what a scan leaves out, by reason, with counts and an example.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adtr/data/sample_set.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

inline std::string images_text(std::size_t n) { return std::to_string(n) + (n == 1 ? " image" : " images"); }

/// Collects entries by reason. Reasons with images come first, then they are sorted by their words.
class LeftOutList {
 public:
  /// Adds a file, link or folder with `images` images. The reason is given in the singular and the plural; `#` in it is
  /// replaced by the number of images.
  void add(const std::filesystem::path& path, const std::string& one, const std::string& many, std::size_t images) {
    Group& group = groups_[{images == 0, many}];
    if (group.count++ == 0) {
      group.one = one;
      group.example = path;
    }
    group.images += images;
  }

  void add(const LeftOutList& other) {
    for (const auto& [key, from] : other.groups_) {
      Group& group = groups_[key];
      if (group.count == 0) group = {from.one, 0, from.example, 0};
      group.count += from.count;
      group.images += from.images;
    }
  }

  [[nodiscard]] std::size_t images() const {
    std::size_t sum = 0;
    for (const auto& [key, group] : groups_) sum += group.images;
    return sum;
  }

  [[nodiscard]] std::vector<LeftOut> list() const {
    std::vector<LeftOut> result;
    for (const auto& [key, group] : groups_) {
      std::string reason = group.count == 1 ? group.one : key.second;
      if (const auto at = reason.find('#'); at != std::string::npos) reason.replace(at, 1, images_text(group.images));
      result.push_back({reason, group.count, group.example, group.images});
    }
    return result;
  }

 private:
  struct Group {
    std::string one;
    std::size_t count = 0;
    std::filesystem::path example;
    std::size_t images = 0;
  };
  std::map<std::pair<bool, std::string>, Group> groups_;
};

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
