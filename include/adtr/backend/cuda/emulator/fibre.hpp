/// Emulator: runs the threads of a block as fibres: functions that can be suspended and resumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "adtr/core/abi.hpp"

#if !defined(ADTR_FIBRES_UCONTEXT) && !(defined(__x86_64__) && defined(__GNUC__) && !defined(_WIN32))
#define ADTR_FIBRES_UCONTEXT
#endif
#if defined(ADTR_FIBRES_UCONTEXT)
#include <ucontext.h>
#endif

// The address sanitizer must be told of every switch to another stack.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADTR_FIBRES_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADTR_FIBRES_ASAN 1
#endif
#if !defined(ADTR_FIBRES_ASAN)
#define ADTR_FIBRES_ASAN 0
#endif
#if ADTR_FIBRES_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::emulator {

#if defined(ADTR_FIBRES_UCONTEXT)

/// Where a stack was left.
using Place = ucontext_t;
inline void switch_stack(Place& save, Place& load) { ::swapcontext(&save, &load); }
inline void prepare_stack(Place& place, std::byte* stack, std::size_t size, void (*entry)()) {
  ::getcontext(&place);
  place.uc_stack.ss_sp = stack;
  place.uc_stack.ss_size = size;
  place.uc_link = nullptr;
  ::makecontext(&place, entry, 0);
}

#else

/// Where a stack was left: the stack pointer. The callee-saved registers lie on the stack. A switch by ucontext takes
/// about twenty times as long, as it makes a system call for the signal mask.
using Place = void*;

[[gnu::naked, gnu::noinline]] inline void switch_stack(Place& /*save: rdi*/, Place& /*load: rsi*/) {
  asm volatile(
      "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq (%rsi), %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\t"
      "ret");
}

inline void prepare_stack(Place& place, std::byte* stack, std::size_t size, void (*entry)()) {
  const auto top = (reinterpret_cast<std::uintptr_t>(stack) + size) / 16 * 16;
  auto* const words = reinterpret_cast<std::uintptr_t*>(top) - 8;
  for (int i = 0; i < 8; ++i) words[i] = 0;            // six registers, the entry, its return address
  words[6] = reinterpret_cast<std::uintptr_t>(entry);  // aligned as after a call, which pushes a return address
  place = words;
}

#endif

/// A fibre and its stack, which is reused for one function after the other.
class Fibre {
 public:
  using Function = void (*)(void* argument);

  Fibre() : stack_(new std::byte[size]) { guard() = guard_value; }

  /// Prepares function(argument), which the next resume() begins to run.
  void start(Function function, void* argument) {
    function_ = function;
    argument_ = argument;
    ended_ = false;
    prepare_stack(inside_, stack_.get(), size, &Fibre::enter);
  }

  /// Runs the function until it suspends or ends.
  void resume() {
    current() = this;
#if ADTR_FIBRES_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, stack_.get(), size);
#endif
    switch_stack(outside_, inside_);
#if ADTR_FIBRES_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  }

  /// Called in the fibre: returns to the caller of resume().
  void suspend() {
#if ADTR_FIBRES_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(ended_ ? nullptr : &fake, outer_stack_, outer_size_);
#endif
    switch_stack(inside_, outside_);
#if ADTR_FIBRES_ASAN
    __sanitizer_finish_switch_fiber(fake, &outer_stack_, &outer_size_);
#endif
  }

  [[nodiscard]] bool ended() const { return ended_; }
  /// False if the stack has overflowed.
  [[nodiscard]] bool intact() const { return *reinterpret_cast<const std::uint64_t*>(stack_.get()) == guard_value; }

 private:
  static constexpr std::size_t size = ADTR_FIBRES_ASAN ? 262144 : 65536;
  static constexpr std::uint64_t guard_value = 0x5AFE57AC4B0770E5;

  [[nodiscard]] std::uint64_t& guard() { return *reinterpret_cast<std::uint64_t*>(stack_.get()); }

  [[nodiscard]] static Fibre*& current() {
    thread_local Fibre* fibre = nullptr;
    return fibre;
  }

  static void enter() {
    Fibre& self = *current();
#if ADTR_FIBRES_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self.outer_stack_, &self.outer_size_);
#endif
    self.function_(self.argument_);
    self.ended_ = true;
    self.suspend();
  }

  std::unique_ptr<std::byte[]> stack_;
  Place inside_{};
  Place outside_{};
  Function function_ = nullptr;
  void* argument_ = nullptr;
  bool ended_ = true;
#if ADTR_FIBRES_ASAN
  const void* outer_stack_ = nullptr;
  std::size_t outer_size_ = 0;
#endif
};

}  // namespace cuda::emulator
}  // namespace ADTR_ABI
}  // namespace adtr
