/// Measures the peak of one core with the instruction set in use: fused multiply-adds in registers.
#pragma once

#include <algorithm>
#include <chrono>

#include "adtr/backend/cpu.hpp"

#if ADTR_CPU_X86
#include <immintrin.h>
#endif

namespace adtr_benchmark {

using adtr::Index;

#if ADTR_CPU_X86
/// Runs twelve chains of fused multiply-adds, enough to hide their latency.
__attribute__((target("avx2,fma"))) inline float multiply_add_avx2(Index rounds) {
  __m256 sums[12];
  for (int i = 0; i < 12; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(1e-3F);
  for (Index r = 0; r < rounds; ++r) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < 12; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma,avx512f"))) inline float multiply_add_avx512(Index rounds) {
  __m512 sums[12];
  for (int i = 0; i < 12; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(1e-3F);
  for (Index r = 0; r < rounds; ++r) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < 12; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}
#endif

/// The best of short samples (about 2 ms each). Take them between the calls that they are compared with.
class Peak {
 public:
  void sample() {
#if ADTR_CPU_X86
    const adtr::Isa isa = adtr::current_isa();
    if (isa == adtr::Isa::scalar) return;
    constexpr Index rounds = 400000;
    const auto start = std::chrono::steady_clock::now();
    const float sum = isa == adtr::Isa::avx2 ? multiply_add_avx2(rounds) : multiply_add_avx512(rounds);
    asm volatile("" : : "x"(sum));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const double lanes = isa == adtr::Isa::avx2 ? 8 : 16;
    gflops_ = std::max(gflops_, 2e-9 * 12 * lanes * static_cast<double>(rounds) / took.count());
#endif
  }

  /// The peak in 1e9 operations per second of one core; 0 if it is unknown (no sample, no vector instructions).
  [[nodiscard]] double gflops() const { return gflops_; }

 private:
  double gflops_ = 0.0;
};

}  // namespace adtr_benchmark
