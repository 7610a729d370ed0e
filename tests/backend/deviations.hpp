/// The table of the largest deviations from the oracle, which docs/performance.md shows:
///     ADTR_DEVIATIONS=deviations.md test_backend
/// writes it for the kernels that ran; ADTR_FORCE_ISA chooses Cpu's instruction set. test_cuda does the same for
/// CUDA's on the emulator, test_cuda_suite on a GPU.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adtr/backend/cpu/dispatch.hpp"

namespace suite {

/// The deviation of a result from the expected one.
struct Deviation {
  double absolute = 0.0;  ///< max|actual − expected|
  double relative = 0.0;  ///< the same, over max|expected|
};

/// The largest of each test case and backend; written when the program ends.
class Deviations {
 public:
  void add(const std::string& test, const char* backend, const Deviation& d) {
    // Catch2 names a case after the type that it is for.
    Entry& e = entries_[test.substr(0, test.rfind(" - "))][backend];
    ++e.results;
    e.largest.absolute = std::max(e.largest.absolute, d.absolute);
    e.largest.relative = std::max(e.largest.relative, d.relative);
  }

  Deviations() = default;
  Deviations(const Deviations&) = delete;
  ~Deviations() {
    const char* path = std::getenv("ADTR_DEVIATIONS");
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
    if (file == nullptr) return;
    std::string head = "| kernel | results |", rule = "|---|---|";
    for (const auto& [backend, title] : columns()) {
      head += " " + title + ": absolute | relative |";
      rule += "---|---|";
    }
    std::fprintf(file, "%s\n%s\n", head.c_str(), rule.c_str());
    for (auto& [test, of] : entries_) {
      std::fprintf(file, "| %s | %d |", test.c_str(), of[columns().back().first].results);
      for (const auto& [backend, title] : columns())
        if (const Entry& e = of[backend]; e.results == 0)
          std::fprintf(file, " – | – |");
        else
          std::fprintf(file, " %.1e | %.1e |", e.largest.absolute, e.largest.relative);
      std::fprintf(file, "\n");
    }
    std::fclose(file);
  }

 private:
  struct Entry {
    int results = 0;  ///< number of compared results, each for a shape and a set of options
    Deviation largest;
  };
  using Columns = std::vector<std::pair<std::string, std::string>>;

  /// The backends that the program tests, with their titles.
  [[nodiscard]] static Columns columns() {
#if defined(__CUDACC__)
    return {{"cuda-tf32", "cuda in TF32"}, {"cuda-bf16", "in BF16"}, {"cuda", "in float"}};
#elif defined(ADTR_TEST_CUDA)
    return {{"cuda-emulator-tf32", "cuda in TF32, emulated"},
            {"cuda-emulator-bf16", "in BF16"},
            {"cuda-emulator", "in float"}};
#else
    return {{"eigen", "eigen"}, {"cpu", std::string("cpu (") + adtr::isa_name(adtr::current_isa()) + ")"}};
#endif
  }

  std::map<std::string, std::map<std::string, Entry>> entries_;
};

inline Deviations& deviations() {
  static Deviations all;
  return all;
}

}  // namespace suite
