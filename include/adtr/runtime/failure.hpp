/// The border of the compiled library adtr::runtime: its namespace, its exported symbols and how errors cross it.
#pragma once

#include <exception>
#include <string>

#include "adtr/core/error.hpp"

/// The inline namespace of everything that the library exports. Unlike ADTR_ABI it does not name an instruction set,
/// so that a user's -m flags do not matter. What is inline in the headers of adtr::runtime is in ADTR_ABI instead.
#define ADTR_RUNTIME_ABI ADTR_ABI_NAME(ADTR_VERSION_MAJOR, ADTR_VERSION_MINOR, runtime)

/// Marks what the library exports; everything else in it is hidden.
#define ADTR_RUNTIME_API [[gnu::visibility("default")]]

namespace adtr::runtime {

inline namespace ADTR_RUNTIME_ABI {

/// How a compiled function failed. The header throws it in the caller's own code.
struct Failure {
  bool failed = false;
  ErrorCode code = ErrorCode::other;  ///< the code of the adtr::Error
  std::string sentence;
  std::exception_ptr other;  ///< any other exception, for example from a callback
};

}  // namespace ADTR_RUNTIME_ABI

inline namespace ADTR_ABI {
namespace detail {

/// Calls a compiled function with a Failure behind its arguments, and throws what it reports.
template <class Function, class... Arguments>
auto checked(Function* function, Arguments&&... arguments) {
  Failure failure;
  auto result = function(static_cast<Arguments&&>(arguments)..., failure);
  if (failure.other) std::rethrow_exception(failure.other);
  if (failure.failed) throw Error(failure.sentence, failure.code);
  return result;
}

}  // namespace detail
}  // namespace ADTR_ABI

}  // namespace adtr::runtime
