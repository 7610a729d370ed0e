/// A temporary file for a model that is shown and then deleted.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <system_error>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// An unused path next to `out`, so that no user's file is overwritten. Deletes the file there when it is destroyed.
class TemporaryModel {
 public:
  explicit TemporaryModel(const std::string& out) {
    static std::atomic<unsigned> counter{0};
    std::error_code error;
    do {
      path_ = out + "." + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".snapshot";
    } while (std::filesystem::exists(std::filesystem::symlink_status(path_, error)));
  }
  TemporaryModel(const TemporaryModel&) = delete;
  TemporaryModel& operator=(const TemporaryModel&) = delete;
  ~TemporaryModel() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
