/// One exception type for everything that a user, a file or the system can get wrong, with a code for the cause.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Why an Error was thrown, for programs; what() explains it to people.
enum class ErrorCode : std::uint8_t {
  other,             ///< none of the below
  file_missing,      ///< no such file or folder
  file_unreadable,   ///< exists, but cannot be read: permission, a loop of links, an I/O error, the wrong kind of file
  file_unwritable,   ///< an output cannot be written: permission, a full disk, no folder
  file_conflict,     ///< writing an output would destroy an input, another output or a file that adtr did not write
  bad_image,         ///< not an image, or truncated, damaged or of a kind that adtr does not read
  bad_data,          ///< a data set that contradicts itself, or most of whose files were left out
  bad_weights,       ///< a weights file or checkpoint that is damaged, or is for something else
  not_a_model,       ///< a file that `adtr train` did not write
  no_such_network,   ///< the program was not compiled with the network that the model needs
  shape,             ///< a tensor, image or mask of the wrong size
  option,            ///< an option that is out of range or conflicts with another
  cancelled,         ///< the caller cancelled the work
  busy,              ///< an object that serves one thread at a time was used by two
  no_resources,      ///< the system has no memory, threads or disk space left
  training_diverged  ///< the loss is not a number
};

/// The code's name, such as `file_missing`.
[[nodiscard]] constexpr std::string_view name_of(ErrorCode code) {
  constexpr std::array<std::string_view, 16> names{
      "other",     "file_missing", "file_unreadable", "file_unwritable",  "file_conflict", "bad_image",
      "bad_data",  "bad_weights",  "not_a_model",     "no_such_network",  "shape",         "option",
      "cancelled", "busy",         "no_resources",    "training_diverged"};
  return names[static_cast<std::size_t>(code)];
}

/// Thrown for bad input: a file, tensor or option. what() is one sentence that names it, what was expected and what
/// was found. Broken preconditions of the library's own functions are asserts, not errors.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, ErrorCode code = ErrorCode::other)
      : std::runtime_error(sentence), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// Puts the name of a file before a sentence about it: `part.png: not an image`.
[[nodiscard]] inline Error file_error(const std::string& path, const std::string& sentence,
                                      ErrorCode code = ErrorCode::other) {
  return Error(path + ": " + sentence, code);
}

}  // namespace ADTR_ABI
}  // namespace adtr
