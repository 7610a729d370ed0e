/// The emulator runs correct kernels like a GPU, and stops kernels that would fail on a GPU.
#include <numeric>
#include <vector>

#include "adtr/backend/cuda/emulator/runtime.hpp"
#include "support/catch.hpp"

using adtr::Index;
using adtr::cuda::Grid;
using adtr::cuda::VectorView;
using adtr::cuda::emulator::Context;
using adtr::cuda::emulator::Fault;
using adtr::cuda::emulator::FaultKind;

namespace {

/// Reverses blocks of 64 elements through shared memory. The emulator must find each `Mistake`.
enum class Mistake { none, no_barrier, late_barrier, past_the_end, past_shared, early_exit, two_barriers, no_write };

template <Mistake M>
struct Reverse {
  static constexpr const char* name = "reverse";
  static constexpr int threads = 64;

  template <class Context>
  static void run(Context& cx, VectorView<const float> x, VectorView<float> y) {
    const auto shared = cx.template shared<float, 64, 0>();
    const Index first = cx.block_x() * 64;
    const int t = cx.thread();
    if (M == Mistake::early_exit && t == 5) return;
    if (M != Mistake::no_write || t != 9) cx.store(shared, t, cx.load(x, first + t));
    if (M == Mistake::two_barriers && t >= 32)
      cx.barrier();
    else if (M != Mistake::no_barrier)
      cx.barrier();
    const int from = M == Mistake::past_shared && t == 0 ? 64 : 63 - t;
    cx.store(y, first + t + (M == Mistake::past_the_end && first == 128 && t == 63 ? 1 : 0), cx.load(shared, from));
    if (M == Mistake::late_barrier) cx.store(shared, t, 1.0F);
  }
};

template <Mistake M>
std::vector<float> reverse(int order) {
  std::vector<float> x(192), y(192);
  std::iota(x.begin(), x.end(), 0.0F);
  Context(order).launch<Reverse<M>>({3}, VectorView<const float>(x.data(), 192), VectorView<float>(y.data(), 192));
  return y;
}

/// The fault that stops Reverse<M>.
template <Mistake M>
Fault fault(int order = 1) {
  try {
    static_cast<void>(reverse<M>(order));
  } catch (const Fault& f) {
    return f;
  }
  FAIL("nothing was caught");
  return Fault(FaultKind::launch, {}, "");
}

/// Sums of 32 lanes, in every lane, by a shuffle; lane 3 may go its own way.
template <bool Diverges>
struct Sum {
  static constexpr const char* name = "sum";
  static constexpr int threads = 96;

  template <class Context>
  static void run(Context& cx, VectorView<double> sums) {
    double value = cx.thread();
    if (Diverges && cx.lane() == 3) return;
    for (int mask = 16; mask > 0; mask /= 2) value += cx.shuffle_xor(value, mask);
    cx.store(sums, cx.thread(), value);
  }
};

/// Each block writes the sum of its element and its right neighbour's, in place or to other memory; within a block,
/// with or without a barrier.
template <bool Barrier>
struct Neighbours {
  static constexpr const char* name = "neighbours";
  static constexpr int threads = 32;

  template <class Context>
  static void run(Context& cx, VectorView<const float> x, VectorView<float> y) {
    const Index i = cx.block_x() * 32 + cx.thread();
    const float sum = cx.load(x, i) + (i + 1 < x.size ? cx.load(x, i + 1) : 0.0F);
    if (Barrier) cx.barrier();
    cx.store(y, i, sum);
  }
};

/// Requests more shared memory or threads than a GPU has.
template <int Elements, int Threads>
struct Greedy {
  static constexpr const char* name = "greedy";
  static constexpr int threads = Threads;
  template <class Context>
  static void run(Context& cx) {
    static_cast<void>(cx.template shared<float, Elements, 0>());
    static_cast<void>(cx.template shared<double, 1024, 1>());
  }
};

}  // namespace

TEST_CASE("threads of a block exchange data through shared memory, in any order") {
  const int order = GENERATE(1, 2, 3, 7);
  const auto y = reverse<Mistake::none>(order);
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == static_cast<float>(i / 64 * 64 + 63 - i % 64));
}

TEST_CASE("lanes of a warp exchange data through shuffles") {
  const int order = GENERATE(1, 2, 3);
  std::vector<double> sums(96);
  Context(order).launch<Sum<false>>({1}, VectorView<double>(sums.data(), 96));
  for (int t = 0; t < 96; ++t) CHECK(sums[static_cast<std::size_t>(t)] == 496.0 + 1024.0 * (t / 32));
}

TEST_CASE("a missing barrier is a race, for any order of the threads") {
  const int order = GENERATE(1, 2, 3);
  const Fault f = fault<Mistake::no_barrier>(order);
  // Threads that run first read unwritten elements; later ones read what another thread has just written.
  CHECK((f.kind() == FaultKind::race || f.kind() == FaultKind::uninitialised));
  CHECK(fault<Mistake::late_barrier>(order).kind() == FaultKind::race);
}

TEST_CASE("a race is reported with kernel, block, thread, element and line") {
  const Fault f = fault<Mistake::late_barrier>();
  const std::string text = f.what();
  CHECK_THAT(text, ContainsSubstring("kernel reverse, block (0, 0, 0), thread 32, test_emulator.cpp:"));
  CHECK_THAT(text, ContainsSubstring("reads element 31 of shared array 0 of 64, address 0x"));
  CHECK_THAT(text, ContainsSubstring("which thread 31 has touched since the last barrier."));
}

TEST_CASE("an index out of bounds is reported with kernel, block, thread and address") {
  const Fault f = fault<Mistake::past_the_end>();
  CHECK(f.kind() == FaultKind::out_of_bounds);
  CHECK(f.where().block.x == 2);
  CHECK(f.where().thread == 63);
  CHECK_THAT(f.what(), ContainsSubstring("block (2, 0, 0), thread 63, test_emulator.cpp:"));
  CHECK_THAT(f.what(), ContainsSubstring("element 192 of a vector of 192, address 0x"));
  const Fault shared = fault<Mistake::past_shared>();
  CHECK(shared.kind() == FaultKind::out_of_bounds);
  CHECK_THAT(shared.what(), ContainsSubstring("element 64 of shared array 0 of 64"));
}

TEST_CASE("threads that skip a barrier, or wait at another, are divergent") {
  const Fault ended = fault<Mistake::early_exit>();
  CHECK(ended.kind() == FaultKind::divergence);
  CHECK_THAT(ended.what(), ContainsSubstring("waits at a barrier, but thread 5 has ended."));
  const Fault apart = fault<Mistake::two_barriers>();
  CHECK(apart.kind() == FaultKind::divergence);
  CHECK_THAT(apart.what(), ContainsSubstring("is at test_emulator.cpp:"));
  std::vector<double> sums(96);
  CHECK_THROWS_WITH(Context().launch<Sum<true>>({1}, VectorView<double>(sums.data(), 96)),
                    ContainsSubstring("waits at a shuffle, but thread 3 has ended."));
}

TEST_CASE("shared memory is read only after it was written, in the same block") {
  const Fault f = fault<Mistake::no_write>();
  CHECK(f.kind() == FaultKind::uninitialised);
  CHECK_THAT(f.what(), ContainsSubstring("reads element 9 of shared array 0"));
}

TEST_CASE("races in global memory, within a block and between blocks") {
  const int order = GENERATE(1, 2, 3);
  const Context context(order);
  std::vector<float> x(64, 1.0F), y(64);
  const VectorView<const float> from(x.data(), 64), block(x.data(), 32);
  CHECK_NOTHROW(context.launch<Neighbours<false>>({2}, from, VectorView<float>(y.data(), 64)));
  CHECK_NOTHROW(context.launch<Neighbours<false>>({2}, VectorView<const float>(y.data(), 64),
                                                  VectorView<float>(x.data(), 64)));  // another launch
  CHECK_NOTHROW(context.launch<Neighbours<true>>({1}, block, VectorView<float>(x.data(), 32)));
  CHECK_THROWS_WITH(context.launch<Neighbours<false>>({1}, block, VectorView<float>(x.data(), 32)),
                    ContainsSubstring("kernel neighbours, block (0, 0, 0)") &&
                        ContainsSubstring("which another thread has touched in this launch"));
  CHECK_THROWS_WITH(context.launch<Neighbours<true>>({2}, from, VectorView<float>(x.data(), 64)),
                    ContainsSubstring("which another thread has touched in this launch"));
}

TEST_CASE("launches that no GPU accepts") {
  const Context context;
  CHECK_NOTHROW(context.launch<Greedy<10240, 32>>({1}));
  CHECK_THROWS_WITH((context.launch<Greedy<10241, 32>>({1})), ContainsSubstring("bytes of shared memory"));
  CHECK_THROWS_WITH((context.launch<Greedy<1, 33>>({1})), ContainsSubstring("a block of 33 threads"));
  CHECK_THROWS_WITH((context.launch<Greedy<1, 32>>({1, 70000})), ContainsSubstring("1 by 70000 by 1 blocks"));
}

TEST_CASE("after a fault the next launch runs") {
  static_cast<void>(fault<Mistake::early_exit>());
  CHECK(reverse<Mistake::none>(1)[0] == 63.0F);
}
