/// Helpers for the tests of all backends: they compare a backend with the oracle and with itself.
#pragma once

#include <array>
#include <concepts>
#include <initializer_list>
#include <string_view>
#include <tuple>
#include <vector>

#include "backend/numbers.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

// CUDA has programs of its own, from the same files: one on the emulator, one on a GPU. With sanitizers, Reference runs
// only in double, as the oracle, and with 3 threads instead of 2 and 7, which is enough to make every memory access.
#if defined(ADTR_TEST_CUDA)
#include "cuda/backends.hpp"
#define ADTR_BACKENDS suite::CudaBackend
#define ADTR_GEMM_BACKENDS suite::CudaBackend, suite::Tf32Backend, suite::Bf16Backend
#else
#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#if defined(ADTR_SANITIZED)
#define ADTR_BACKENDS adtr::EigenBackend, adtr::Cpu
#else
#define ADTR_BACKENDS adtr::Reference<float>, adtr::EigenBackend, adtr::Cpu
#endif
#define ADTR_GEMM_BACKENDS ADTR_BACKENDS
#endif

namespace suite {

/// All activations. One that is added here is tested on every backend.
inline constexpr std::array activations{adtr::Activation::silu, adtr::Activation::relu6, adtr::Activation::none,
                                        adtr::Activation::relu};

template <std::size_t N>
using Shapes = std::initializer_list<std::array<Index, N>>;

/// Calls fn(sizes...) for every shape. (Structured bindings would do, but clang 14's lambdas cannot capture them.)
template <std::size_t N, class F>
void for_each(Shapes<N> shapes, const F& fn) {
  for (const auto& shape : shapes) std::apply(fn, shape);
}

/// The tolerance for float sums of n terms, relative to the largest of these sums.
inline double sum_bound(Index n) { return std::min(2e-4, 1e-6 + 2e-7 * std::sqrt(static_cast<double>(n))); }

/// The same for sums of n products on B, whose factors may be rounded: each is off by at most 2⁻¹¹ of itself as TF32
/// and 2⁻⁸ as BF16, a product by twice as much.
template <class B>
double gemm_bound(Index n) {
  const std::string_view name = B::name;
  return sum_bound(n) + (name.ends_with("tf32") ? 0x1p-10 : name.ends_with("bf16") ? 0x1p-7 : 0.0);
}

/// The relative tolerance for silu and the sigmoid of x, down to the smallest normal floats. In a float
/// reduction of eˣ to a power of 2 the error grows with x.
inline double exponential_bound(float x) { return 5e-7 + 6e-8 * std::abs(static_cast<double>(x)); }

/// Whether B is the emulator, for which a multiplication takes a nanosecond.
template <class B>
constexpr bool emulated = std::string_view(B::name).starts_with("cuda-emulator");

/// Whether B emulates tensor cores.
template <class B>
constexpr bool emulated_tensor = emulated<B>&& std::string_view(B::name) != "cuda-emulator";

/// Whether a run with this number of multiplications is fast enough on B. With sanitizers the scalar kernels take
/// minutes for large shapes, which are left to the vector kernels of the same code.
template <class B>
bool affordable(Index multiplications) {
  if (emulated<B>) return multiplications <= 8'000'000;
#if defined(ADTR_SANITIZED)
  if (adtr::current_isa() == adtr::Isa::scalar) return multiplications <= (Index{1} << 21);
#endif
  return true;
}

template <class B>
typename B::Context make_context(int threads) {
  if constexpr (requires { B::precision; })
    return typename B::Context(threads, B::precision);
  else
    return support::context<B>(threads);
}

template <class B>
const typename B::Context& one_thread() {
  static const auto context = make_context<B>(1);
  return context;
}

/// Contexts of 2, 3 and 7 threads; on the emulator, other orders of the threads; on a GPU, another stream.
template <class B>
const std::vector<typename B::Context>& more_threads() {
#if defined(ADTR_SANITIZED)
  static const std::vector contexts{make_context<B>(3)};
#elif defined(__CUDACC__)
  static const std::vector contexts{make_context<B>(2)};
#elif defined(ADTR_TEST_CUDA)
  static const std::vector contexts{make_context<B>(2), make_context<B>(7)};
#else
  static const std::vector contexts{make_context<B>(2), make_context<B>(3), make_context<B>(7)};
#endif
  return contexts;
}

template <class B>
constexpr bool has_threads = !std::same_as<B, adtr::Reference<float>>;

/// Compares `run`, a generic lambda `<class B>(const Context&) -> vector<Scalar>`, on backend B with the oracle, and
/// its bits for 2, 3 and 7 threads and for a second run with those for one thread. Returns the result.
template <class B, class Run>
std::vector<typename B::Scalar> check(const Run& run, double bound) {
  const auto expected = run.template operator()<Oracle>(one_thread<Oracle>());
  const auto actual = run.template operator()<B>(one_thread<B>());
  const Deviation d = deviation(actual, expected);
  CHECK(d.relative <= bound);
  deviations().add(Catch::getResultCapture().getCurrentTestName(), B::name, d);
  if constexpr (has_threads<B>) {
    for (const auto& context : more_threads<B>()) CHECK((run.template operator()<B>(context) == actual));
    CHECK((run.template operator()<B>(one_thread<B>()) == actual));
  }
  return actual;
}

/// The images of the batch that a run computes.
struct Images {
  Index first = 0;
  Index count = 1;
};

/// The same for `run`, a `<class B>(const Context&, Images) -> vector<Scalar>`, whose result is that of one image after
/// the other; and an image alone gives the bits that it gives within the batch.
template <class B, class Run>
void check_batch(const Run& run, Index batch, double bound) {
  const auto all = check<B>(
      [&]<class C>(const typename C::Context& context) {
        return run.template operator()<C>(context, Images{0, batch});
      },
      bound);
  std::vector<typename B::Scalar> alone;
  for (Index n = 0; n < batch; ++n) {
    const auto one = run.template operator()<B>(one_thread<B>(), Images{n, 1});
    alone.insert(alone.end(), one.begin(), one.end());
  }
  CHECK((alone == all));
}

/// A matrix of some images' rows of a stream, as the columns [1, 1 + columns) of a wider one when `strided`. What
/// surrounds them stays visible in `memory`.
template <class T>
struct Rows {
  std::vector<T> memory;
  adtr::MatrixView<T> view;

  Rows(Images images, Index rows_per_image, Index columns, std::uint64_t seed, float scale = 1.0F,
       bool strided = false) {
    const Index stride = strided ? columns + 3 : columns;
    memory = numbers<T>(images.count * rows_per_image * stride, seed, scale, images.first * rows_per_image * stride);
    view = {memory.data() + (strided ? 1 : 0), images.count * rows_per_image, columns, stride};
  }
  Rows(Rows&&) = default;
  [[nodiscard]] adtr::MatrixView<const T> in() const { return view; }
};

/// The same for maps of (height, width, channels).
template <class T>
struct Maps {
  Rows<T> rows;
  adtr::MapView<T> view;

  Maps(Images images, Index height, Index width, Index channels, std::uint64_t seed, float scale = 1.0F,
       bool strided = false)
      : rows(images, height * width, channels, seed, scale, strided),
        view(rows.view.data, images.count, height, width, channels, rows.view.stride) {}
  [[nodiscard]] adtr::MapView<const T> in() const { return view; }
};

}  // namespace suite
