/// Detects a second thread in an object that serves one thread at a time.
#pragma once

#include <atomic>
#include <string>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a thread is using an object.
using BusyFlag = std::atomic<bool>;

/// A guard that each function that changes the object creates first. It holds the object until the function returns or
/// throws, and costs one atomic exchange.
class OneThread {
 public:
  /// Throws Error (busy) if another thread holds the object. The message calls the object `name`, such as "the
  /// detector".
  OneThread(BusyFlag& busy, const char* name) : busy_(busy) {
    if (busy.exchange(true, std::memory_order_acquire))
      throw Error(std::string(name) + " is in use by another thread; give each thread its own object, made by share()",
                  ErrorCode::busy);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { busy_.store(false, std::memory_order_release); }

 private:
  BusyFlag& busy_;
};

}  // namespace ADTR_ABI
}  // namespace adtr
