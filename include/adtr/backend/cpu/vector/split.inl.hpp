/// Splitting a number for 2^z where there is no instruction for that.

/// n + f as power_of_two wants it: |f| ≤ 1/2, n in the low bits of a float that 1.5·2²³ was added to, which rounds it.
struct Split {
  Vec f, n;
};
inline constexpr float to_integer = 12582912.0F;
/// z, no less than −126.
ADTR_INLINE Split split(Vec z) {
  z = max(set(-126.0F), z);
  const Vec n = z + set(to_integer);
  return {z - (n - set(to_integer)), n};
}
/// x·factor as if it had never been rounded, factor = ±log₂e and x ≥ −87.3; 87.3 stands for more.
ADTR_INLINE Split split(Vec x, float factor) {
  x = min(set(87.3F), x);
  const Vec n = fma(x, set(factor), set(to_integer));
  return {fma(x, set(factor), set(to_integer) - n), n};
}
