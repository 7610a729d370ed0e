/// Ctrl-C and SIGTERM: a command finishes its current item, says what was kept, and the process ends with 128 + signal.
#pragma once

#include <string>

#include "adtr/core/error.hpp"

namespace program {

/// From now on SIGINT and SIGTERM are noted instead of ending the process. A second one ends it at once. A signal that
/// was ignored when the process began (nohup, a shell's background jobs) stays ignored.
void catch_interrupts();

/// The signal that came, or 0.
[[nodiscard]] int interrupted();

/// What a command throws when it ends early because of a signal; what() says what was kept.
class Interrupted : public adtr::Error {
 public:
  explicit Interrupted(const std::string& sentence) : adtr::Error(sentence, adtr::ErrorCode::cancelled) {}
};

}  // namespace program
