/// The table of the largest deviations from the oracle, which docs/performance.md shows:
///     ADTR_DEVIATIONS=deviations.md test_backend
/// writes it for the kernels that ran; ADTR_FORCE_ISA chooses Cpu's instruction set.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "adtr/backend/cpu/dispatch.hpp"

namespace suite {

/// How far a result is from what is expected.
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
    std::fprintf(file,
                 "| kernel | results | eigen: absolute | relative | cpu (%s): absolute | relative |\n"
                 "|---|---|---|---|---|---|\n",
                 adtr::isa_name(adtr::current_isa()));
    for (auto& [test, of] : entries_) {
      const Entry &eigen = of["eigen"], &cpu = of["cpu"];
      std::fprintf(file, "| %s | %d | %.1e | %.1e | %.1e | %.1e |\n", test.c_str(), cpu.results, eigen.largest.absolute,
                   eigen.largest.relative, cpu.largest.absolute, cpu.largest.relative);
    }
    std::fclose(file);
  }

 private:
  struct Entry {
    int results = 0;  ///< compared, each of a shape and set of options
    Deviation largest;
  };
  std::map<std::string, std::map<std::string, Entry>> entries_;
};

inline Deviations& deviations() {
  static Deviations all;
  return all;
}

}  // namespace suite
