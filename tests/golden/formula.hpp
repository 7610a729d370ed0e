/// Computes tensors from a formula, with the same values as formula.py, so that the repository contains no weights.
///
/// Element i (row-major, PyTorch's layout) of the tensor `name` is u·scale, computed in double and rounded to float,
/// also for T = double: u = (splitmix64(fnv1a(name) + i·0x9E3779B97F4A7C15) >> 40)·2^-23 - 1, in [-1, 1). No expression
/// here has a product that a fused multiply-add would round otherwise: values are equal bit for bit.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace formula {

inline constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15ULL;

[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return hash;
}

/// The step and the mixing function of Vigna's SplitMix64.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t x) {
  std::uint64_t z = x + golden_ratio;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/// Element i of the tensor whose name hashes to `hash`, in [-1, 1), a multiple of 2^-23.
[[nodiscard]] constexpr double unit(std::uint64_t hash, std::size_t i) {
  return static_cast<double>(splitmix64(hash + i * golden_ratio) >> 40) * 0x1p-23 - 1.0;
}

/// n values in scale·[-1, 1), for inputs, features and incoming gradients.
template <std::floating_point T>
[[nodiscard]] std::vector<T> uniform(std::string_view name, std::size_t n, double scale) {
  const std::uint64_t hash = fnv1a(name);
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<T>(static_cast<float>(unit(hash, i) * scale));
  }
  return values;
}

/// See formula.py for the reasons.
[[nodiscard]] constexpr double gain_squared(std::string_view name) {
  if (name.find(".se.") != std::string_view::npos) return 0.1;
  if (name.ends_with("linear2.weight")) return 0.02;
  if (name.ends_with("out_proj.weight")) return 0.1;
  if (name.ends_with("in_proj_weight")) return 2.0;
  if (name.starts_with("backbone.layer")) return 0.7;
  return name.starts_with("backbone.") ? 1.9 : 1.0;
}

/// A parameter or batch-norm statistic of this shape (PyTorch's); name and shape determine its scale.
template <std::floating_point T>
[[nodiscard]] std::vector<T> parameter(std::string_view name, std::span<const std::size_t> shape) {
  std::size_t n = 1;
  for (const std::size_t d : shape) n *= d;
  const bool matrix = shape.size() >= 2 && !name.ends_with("_embed");
  const double fan_in = matrix ? static_cast<double>(n / shape[0]) : 1.0;
  const double scale = std::sqrt(gain_squared(name) * 3.0 / fan_in);

  const auto value = [&](double u) {
    if (name.ends_with("_embed")) return u;
    if (matrix) return u * scale;
    if (name.ends_with("linear1.bias")) return (u < 0.0 ? -3.0 : 3.0) + 0.5 * u;
    if (name.ends_with("running_mean") || name.ends_with("bias")) return 0.1 * u;
    if (name.ends_with("running_var")) return 1.0 + 0.5 * u;
    return 1.0 + 0.25 * u;
  };
  const std::uint64_t hash = fnv1a(name);
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<T>(static_cast<float>(value(unit(hash, i))));
  }
  return values;
}

/// The position of sample j of `count` in a tensor of n > count elements; each of `count` equal parts has one sample.
[[nodiscard]] constexpr std::size_t sample_index(std::size_t j, std::size_t n, std::size_t count) {
  return j * n / count + splitmix64(j) % (n / count);
}

}  // namespace formula
