/// Thread pools that get fewer threads than requested, and contexts without an executor.
#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <vector>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cuda/emulator/runtime.hpp"
#include "adtr/backend/eigen/context.hpp"
#include "adtr/backend/reference/gemm.hpp"
#include "core/child.hpp"
#include "support/catch.hpp"

using adtr::Oversubscribe;
using adtr::ThreadPool;

namespace {

/// Whether loops on the pool visit each index once.
bool works(ThreadPool& pool) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<std::atomic<int>> visits(1000);
    pool.for_each(1000, [&](adtr::Index i) { ++visits[static_cast<std::size_t>(i)]; });
    for (const auto& v : visits)
      if (v != 1) return false;
  }
  return true;
}

/// The number of threads of a pool that requests 64 of them; 99 if the pool does not work.
int threads_of_64() {
  ThreadPool pool(64, Oversubscribe::yes);
  return works(pool) ? pool.threads() : 99;
}

template <class F>
adtr::ErrorCode code_of(F&& run) {
  try {
    run();
  } catch (const adtr::Error& e) {
    return e.code();
  }
  return adtr::ErrorCode::other;
}

}  // namespace

TEST_CASE("a pool has as many threads as requested, up to the number of processors") {
  const int processors = adtr::available_processors();
  for (const int asked : {0, 1, 2, 64, 4096, 1'000'000}) {
    ThreadPool pool(asked);
    CHECK(pool.threads() == (asked == 0 ? processors : std::min(asked, processors)));
    CHECK(works(pool));
    CHECK(adtr::cpu::Context(asked).threads() == pool.threads());
    CHECK(adtr::eigen::Context(asked).threads() == pool.threads());
  }
  ThreadPool pool(processors + 3, Oversubscribe::yes);
  CHECK(pool.threads() == processors + 3);
  CHECK(works(pool));
  CHECK(adtr::cpu::Context(processors + 3, Oversubscribe::yes).threads() == processors + 3);
  CHECK(adtr::eigen::Context(processors + 3, Oversubscribe::yes).threads() == processors + 3);
}

TEST_CASE("a negative number of threads is refused by every backend") {
  for (const int threads : {-1, -2'000'000'000}) {
    CHECK_THROWS_WITH(ThreadPool(threads), "the number of threads is " + std::to_string(threads) +
                                               "; expected a positive number, or 0 for all processors");
    CHECK(code_of([&] { ThreadPool pool(threads, Oversubscribe::yes); }) == adtr::ErrorCode::option);
    CHECK(code_of([&] { adtr::cpu::Context context(threads); }) == adtr::ErrorCode::option);
    CHECK(code_of([&] { adtr::eigen::Context context(threads); }) == adtr::ErrorCode::option);
    CHECK(code_of([&] { adtr::reference::Context context(threads); }) == adtr::ErrorCode::option);
  }
}

TEST_CASE("a pool works with fewer threads if the system starts fewer") {
  for (const int most : {1, 2, 5, 20}) {
    const int threads = in_child([&] {
      // Root has no such limit, and the user's other processes count towards it: use another user if possible.
      const auto user = static_cast<uid_t>(1'000'000 + ::getpid());
      const bool alone = ::geteuid() == 0 && ::setgid(user) == 0 && ::setuid(user) == 0;
      if (::geteuid() == 0) return 98;
      const rlimit limit{static_cast<rlim_t>(most), static_cast<rlim_t>(most)};
      if (::setrlimit(RLIMIT_NPROC, &limit) != 0) return 97;
      const int got = threads_of_64();
      return alone ? got : std::min(got, most);
    });
    if (threads == 98) {
      WARN("skipped: root cannot become another user here");
      return;
    }
    // A user with other processes may have reached the limit already.
    if (::geteuid() == 0)
      CHECK(threads == most);
    else
      CHECK((threads >= 1 && threads <= most));
  }
}

#ifndef ADTR_SANITIZED  // it reserves terabytes of addresses
TEST_CASE("a pool works with fewer threads if there is no memory for their stacks") {
  const auto child = [](std::size_t stacks) {
    return in_child([&] {
      // Stacks of 64 MiB, so that other allocations do not matter, and room for some of them.
      constexpr rlim_t stack = rlim_t{64} << 20;
      pthread_attr_t attributes;
      if (::pthread_getattr_default_np(&attributes) != 0 || ::pthread_attr_setstacksize(&attributes, stack) != 0 ||
          ::pthread_setattr_default_np(&attributes) != 0)
        return 98;
      std::size_t pages = 0;
      if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
        std::fclose(file);
      }
      const rlim_t room = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + stacks * stack + stack / 2;
      const rlimit limit{room, room};
      if (pages == 0 || ::setrlimit(RLIMIT_AS, &limit) != 0) return 97;
      return threads_of_64();
    });
  };
  CHECK(child(0) == 1);
  CHECK(child(3) == 4);
}
#endif

TEST_CASE("a context without an executor is refused") {
  CHECK_THROWS_WITH(adtr::cpu::Context(std::shared_ptr<adtr::Executor>()), ContainsSubstring("null pointer"));
  CHECK(code_of([] { adtr::cpu::Context context(std::shared_ptr<ThreadPool>{}); }) == adtr::ErrorCode::option);
}

TEST_CASE("a context that was moved from works as before") {
  const auto sum = [](const auto& context) {
    std::vector<int> numbers(100);
    if constexpr (requires { context.pool; })
      adtr::eigen::for_each(context, 100, [&](adtr::Index i) { numbers[static_cast<std::size_t>(i)] = 1; });
    else
      context.for_each(100, [&](adtr::Index i) { numbers[static_cast<std::size_t>(i)] = 1; });
    return std::accumulate(numbers.begin(), numbers.end(), 0);
  };
  adtr::cpu::Context cpu(2, Oversubscribe::yes), other_cpu(1);
  const adtr::cpu::Context taken_cpu = std::move(cpu);
  other_cpu = std::move(cpu);
  CHECK((sum(cpu) == 100 && sum(taken_cpu) == 100 && sum(other_cpu) == 100));
  CHECK((cpu.threads() == 2 && other_cpu.threads() == 2));

  adtr::eigen::Context eigen(2, Oversubscribe::yes);
  const adtr::eigen::Context taken_eigen = std::move(eigen);
  CHECK((sum(eigen) == 100 && sum(taken_eigen) == 100));

  adtr::cuda::emulator::Context emulator;
  const adtr::cuda::emulator::Context taken_emulator = std::move(emulator);
  CHECK((emulator.waiting() == 0 && taken_emulator.waiting() == 0));
}

TEST_CASE("an exception in a part of the Eigen backend's work reaches the caller from any thread") {
  const adtr::eigen::Context context(4, Oversubscribe::yes);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int> ran{0};
    CHECK_THROWS_WITH(adtr::eigen::for_each(context, 64,
                                            [&](adtr::Index i) {
                                              ++ran;
                                              if (i % 3 == 2) throw adtr::Error("no room");
                                            }),
                      "no room");
    CHECK(ran == 64);
  }
}

TEST_CASE("an executor that claims no thread counts as one") {
  struct None final : adtr::Executor {
    [[nodiscard]] int threads() const override { return 0; }
    void parallel_for(adtr::Index count, void (*call)(void*, adtr::Index), void* function) override {
      for (adtr::Index i = 0; i < count; ++i) call(function, i);
    }
  };
  const adtr::cpu::Context context(std::make_shared<None>());
  int visits = 0;
  context.for_ranges(100000, 4, 10.0,
                     [&](adtr::Index begin, adtr::Index end) { visits += static_cast<int>(end - begin); });
  CHECK(visits == 100000);
}
