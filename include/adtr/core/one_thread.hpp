/// Objects that serve one thread at a time notice a second one.
#pragma once

#include <atomic>
#include <string>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Whether a thread is using an object.
using BusyFlag = std::atomic<bool>;

/// Holds an object from its construction to its end, whether by return or by exception: a guard in each of the object's
/// functions that change it. Costs one atomic exchange.
class OneThread {
 public:
  /// Throws Error (busy) if another thread holds it. `name` is for the message, such as "the detector".
  OneThread(BusyFlag& busy, const char* name) : busy_(busy) {
    if (busy.exchange(true, std::memory_order_acquire))
      throw Error(std::string(name) + " is in use by another thread; make each thread one of its own by share()",
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
