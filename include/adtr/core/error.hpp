/// One exception type for everything that the outside world can get wrong.
#pragma once

#include <stdexcept>
#include <string>

#include "adtr/core/abi.hpp"

namespace adtr::inline ADTR_ABI {

/// Thrown for bad input: a file, tensor or option. what() is one sentence that names it, what was expected and what
/// was found. Broken preconditions of the library's own functions are asserts, not errors.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Puts the name of a file before a sentence about it: `part.png: not an image`.
[[nodiscard]] inline Error file_error(const std::string& path, const std::string& sentence) {
  return Error(path + ": " + sentence);
}

}  // namespace adtr::inline ADTR_ABI
