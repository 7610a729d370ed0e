#include "interrupt.hpp"

#include <signal.h>

#include <atomic>

namespace program {

namespace {

std::atomic<int> signal_number{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch what needs no lock");

void note(int number) { signal_number.store(number); }

}  // namespace

void catch_interrupts() {
  for (const int number : {SIGINT, SIGTERM}) {
    struct ::sigaction before {};
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    struct ::sigaction action {};
    action.sa_handler = note;
    ::sigemptyset(&action.sa_mask);
    // Reads and writes go on where they were; the handler is gone after the first signal, so that a second one ends
    // the process whatever it is doing.
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    ::sigaction(number, &action, nullptr);
  }
}

int interrupted() { return signal_number.load(); }

}  // namespace program
