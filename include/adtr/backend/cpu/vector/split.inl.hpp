/// Splits a number for 2^z on machines that have no instruction for it.

/// A number n + f as power_of_two takes it: |f| ≤ 1/2, and n is in the low bits of a float. Adding 1.5·2²³ rounds a
/// number and puts it there.
struct Split {
  Vec f, n;
};
inline constexpr float to_integer = 12582912.0F;
/// Splits z. Below −126 it splits −126.
ADTR_INLINE Split split(Vec z) {
  z = max(set(-126.0F), z);
  const Vec n = z + set(to_integer);
  return {z - (n - set(to_integer)), n};
}
/// Splits x·factor as if the product were not rounded; factor = ±log₂e and x ≥ −87.3. Above 87.3 it splits the product
/// of 87.3.
ADTR_INLINE Split split(Vec x, float factor) {
  x = min(set(87.3F), x);
  const Vec n = fma(x, set(factor), set(to_integer));
  return {fma(x, set(factor), set(to_integer) - n), n};
}
