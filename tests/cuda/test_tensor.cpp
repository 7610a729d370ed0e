/// Products on tensor cores: the emulator's instructions, and the results of the kernels, which must match rounded
/// factors.
#include <bit>
#include <set>

#include "backend/suite.hpp"

using namespace suite;
using adtr::MatrixView;
using adtr::cuda::Array;
using adtr::cuda::Bf16;
using adtr::cuda::Fragments;
using adtr::cuda::Precision;
using adtr::cuda::Tf32;
using adtr::cuda::Word;
using adtr::cuda::emulator::Context;
using adtr::cuda::kernels::TensorSlice;

namespace {

/// The position in a (m, k) and b (k, n) of number i of a lane's fragment, from PTX's manual, for each
/// format.
struct Place {
  int m, k;
};
template <class Format>
struct Manual;
template <>
struct Manual<Tf32> {
  static constexpr int depth = 8;
  [[nodiscard]] static Place of_a(int lane, int i) {
    return {i == 0 || i == 2 ? lane >> 2 : (lane >> 2) + 8, i == 0 || i == 1 ? lane % 4 : lane % 4 + 4};
  }
  [[nodiscard]] static int k_of_b(int lane, int i) { return i == 0 ? lane % 4 : lane % 4 + 4; }
};
template <>
struct Manual<Bf16> {
  static constexpr int depth = 16;
  [[nodiscard]] static Place of_a(int lane, int i) {
    const bool first = (0 <= i && i < 2) || (4 <= i && i < 6);
    return {first ? lane >> 2 : (lane >> 2) + 8, i < 4 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8};
  }
  [[nodiscard]] static int k_of_b(int lane, int i) {
    return i < 2 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8;
  }
};

/// What a lane or a warp does before an instruction.
enum class LaneMistake { none, missing_lane, two_instructions, shuffle };

/// c (16, 8) += a (16, depth)·b (depth, 8) by one instruction.
template <class Format, LaneMistake M>
struct Instruction {
  static constexpr const char* name = "instruction";
  static constexpr int threads = 32;
  using Layout = Manual<Format>;

  template <class Cx>
  static void run(Cx& cx, MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
    const int lane = cx.lane();
    Word af[4], bf[2];
    Array<float, Format::values> x;
    for (int i = 0; i < 4; ++i) {
      for (int v = 0; v < Format::values; ++v) {
        const Place p = Layout::of_a(lane, i * Format::values + v);
        x[v] = cx.load(a, p.m, p.k);
      }
      af[i] = cx.template pack<Format>(x);
    }
    for (int i = 0; i < 2; ++i) {
      for (int v = 0; v < Format::values; ++v)
        x[v] = cx.load(b, Layout::k_of_b(lane, i * Format::values + v), lane >> 2);
      bf[i] = cx.template pack<Format>(x);
    }
    const auto row = [&](int i) { return i < 2 ? lane >> 2 : (lane >> 2) + 8; };
    const auto column = [&](int i) { return lane % 4 * 2 + (i & 1); };
    float sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = cx.load(c, row(i), column(i));
    if (M == LaneMistake::missing_lane && lane == 6) return;
    if (M == LaneMistake::shuffle && lane == 6) static_cast<void>(cx.shuffle_xor(0, 1));
    if (M == LaneMistake::two_instructions && lane == 6)
      cx.template mma<Format>(sums, af, bf);
    else
      cx.template mma<Format>(sums, af, bf);
    for (int i = 0; i < 4; ++i) cx.store(c, row(i), column(i), sums[i]);
  }
};

template <class Format, LaneMistake M = LaneMistake::none>
void instruction(int order, const std::vector<float>& a, const std::vector<float>& b, std::vector<float>& c) {
  constexpr Index depth = Manual<Format>::depth;
  Context(order).launch<Instruction<Format, M>>({1}, MatrixView<const float>(a.data(), 16, depth),
                                                MatrixView<const float>(b.data(), depth, 8),
                                                MatrixView<float>(c.data(), 16, 8));
}

/// Floats, exact in each format, whose sums of products are exact.
std::vector<float> integers(Index n, std::uint64_t seed) {
  auto values = numbers<float>(n, seed, 9.0F);
  for (float& v : values) v = std::trunc(v);
  return values;
}

}  // namespace

TEST_CASE("TF32: ten bits of fraction, ties away from zero") {
  using adtr::cuda::emulator::tf32;
  const auto of = [](Word bits) { return tf32(std::bit_cast<float>(bits)); };
  CHECK(of(0x3F800000) == 0x3F800000);  // 1
  CHECK(of(0x3F800FFF) == 0x3F800000);  // below half of the last place
  CHECK(of(0x3F801000) == 0x3F802000);  // half: away from zero, whether the last bit that stays is 0
  CHECK(of(0x3F803000) == 0x3F804000);  // or 1
  CHECK(of(0xBF801000) == 0xBF802000);
  CHECK(of(0xBF800FFF) == 0xBF800000);
  CHECK(of(0x3FFFF000) == 0x40000000);  // into the next exponent
  CHECK(of(0x7F7FFFFF) == 0x7F800000);  // and to infinity
  CHECK(of(0x00001000) == 0x00002000);  // subnormal
  CHECK(of(0x00000FFF) == 0x00000000);
  CHECK(of(0x80000000) == 0x80000000);
  CHECK(of(0x7F800000) == 0x7F800000);
  CHECK(of(0xFF800000) == 0xFF800000);
  CHECK(of(0x7F800001) == 0x7FFFFFFF);  // NaN
  CHECK(of(0xFFC00000) == 0x7FFFFFFF);
}

TEST_CASE("BF16: seven bits of fraction, ties to even") {
  using adtr::cuda::emulator::bf16;
  const auto of = [](Word bits) { return bf16(std::bit_cast<float>(bits)); };
  CHECK(of(0x3F800000) == 0x3F80);
  CHECK(of(0x3F807FFF) == 0x3F80);
  CHECK(of(0x3F808000) == 0x3F80);  // a tie goes down to an even number
  CHECK(of(0x3F808001) == 0x3F81);
  CHECK(of(0x3F818000) == 0x3F82);  // and up to one
  CHECK(of(0xBF818000) == 0xBF82);
  CHECK(of(0xBF808000) == 0xBF80);
  CHECK(of(0x3FFF8000) == 0x4000);
  CHECK(of(0x7F7F8000) == 0x7F80);
  CHECK(of(0x7F7F7FFF) == 0x7F7F);
  CHECK(of(0x00008000) == 0x0000);
  CHECK(of(0x00018000) == 0x0002);
  CHECK(of(0x80000000) == 0x8000);
  CHECK(of(0xFF800000) == 0xFF80);
  CHECK(of(0x7F800001) == 0x7FFF);
  CHECK(of(0xFFFFFFFF) == 0x7FFF);
  // The first number of a pair lies in the lower half.
  CHECK(adtr::cuda::emulator::pack(Bf16{}, {1.0F, -2.0F}) == 0xC0003F80);
}

TEST_CASE("a tensor core ignores the bits that TF32 does not have") {
  using adtr::cuda::emulator::unpack;
  CHECK(unpack(Tf32{}, 0x3F801FFF, 0) == 1.0F);
  CHECK(unpack(Bf16{}, 0xC0003F80, 0) == 1.0F);
  CHECK(unpack(Bf16{}, 0xC0003F80, 1) == -2.0F);
}

TEMPLATE_TEST_CASE("mma: every number of every fragment is where PTX's manual says", "", Tf32, Bf16) {
  constexpr int depth = Manual<TestType>::depth;
  const int order = GENERATE(1, 2, 7);
  const auto a = integers(16 * depth, 1), b = integers(depth * 8, 2), before = integers(16 * 8, 3);
  auto c = before;
  instruction<TestType>(order, a, b, c);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 8; ++n) {
      float sum = before[size(m * 8 + n)];
      for (int k = 0; k < depth; ++k) sum += a[size(m * depth + k)] * b[size(k * 8 + n)];
      CAPTURE(m, n);
      CHECK(c[size(m * 8 + n)] == sum);
    }
}

TEMPLATE_TEST_CASE("mma: a lane that stays away is divergent", "", Tf32, Bf16) {
  constexpr int depth = Manual<TestType>::depth;
  const int order = GENERATE(1, 2);
  const auto a = integers(16 * depth, 1), b = integers(depth * 8, 2);
  std::vector<float> c(16 * 8);
  const auto run = [&]<LaneMistake M>(std::integral_constant<LaneMistake, M>) {
    instruction<TestType, M>(order, a, b, c);
  };
  CHECK_THROWS_WITH(run(std::integral_constant<LaneMistake, LaneMistake::missing_lane>()),
                    ContainsSubstring("kernel instruction") &&
                        ContainsSubstring("waits at a product of fragments, but thread 6 has ended."));
  CHECK_THROWS_WITH(
      run(std::integral_constant<LaneMistake, LaneMistake::two_instructions>()),
      ContainsSubstring("waits at a product of fragments, but thread") && ContainsSubstring("is at test_tensor.cpp:"));
  CHECK_THROWS_WITH(run(std::integral_constant<LaneMistake, LaneMistake::shuffle>()),
                    ContainsSubstring("thread 6, test_tensor.cpp:") && ContainsSubstring("waits at a shuffle, but"));
}

TEMPLATE_TEST_CASE("the lanes of a warp read fragments from 32 banks of shared memory", "", (TensorSlice<128, true>),
                   (TensorSlice<128, false>), (TensorSlice<64, true>), (TensorSlice<64, false>)) {
  const auto banks = [](const auto& row, const auto& word) {
    std::set<int> met;
    for (int lane = 0; lane < 32; ++lane) met.insert(TestType::place(row(lane), word(lane)) % 32);
    return met.size();
  };
  for (int i = 0; i < 4; ++i)
    CHECK(banks([i](int lane) { return Fragments::a_row(lane, i); },
                [i](int lane) { return Fragments::a_word(lane, i); }) == 32);
  for (int i = 0; i < 2; ++i)
    CHECK(banks([](int lane) { return Fragments::b_column(lane); },
                [i](int lane) { return Fragments::b_word(lane, i); }) == 32);
}

TEST_CASE("a GPU without tensor cores multiplies floats, and so does any GPU by default") {
  const auto x = numbers<float>(20 * 30, 1), w = numbers<float>(10 * 30, 2);
  const auto run = [&](const CudaBackend::Context& context) {
    std::vector<float> c(20 * 10);
    CudaBackend::Packed packed;
    CudaBackend::pack(context, {w.data(), 10, 30}, packed);
    CudaBackend::multiply(context, {x.data(), 20, 30}, packed, {}, {c.data(), 20, 10});
    return c;
  };
  const auto floats = run(CudaBackend::Context(1, Precision::float32));
  CHECK((run(CudaBackend::Context()) == floats));
  CHECK((run(CudaBackend::Context(1, Precision::tf32, false)) == floats));
  CHECK((run(CudaBackend::Context(1, Precision::bf16, false)) == floats));
  CHECK((run(CudaBackend::Context(1, Precision::tf32)) != floats));
  CHECK((run(CudaBackend::Context(1, Precision::bf16)) != run(CudaBackend::Context(1, Precision::tf32))));
}
