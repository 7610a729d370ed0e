/// Links a unit built for any x86-64 with one built for AVX2, and runs on either machine.
#include <cmath>
#include <cstdio>

float run_baseline();
float run_avx2();

int main() {
  const float baseline = run_baseline();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  const float avx2 = run_avx2();
  std::printf("baseline %g, avx2 %g\n", static_cast<double>(baseline), static_cast<double>(avx2));
  return std::abs(baseline - avx2) <= 1e-5F * std::abs(baseline) ? 0 : 1;
}
