/// Eigen backend: threads, scratch memory, and views as Eigen maps.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>

#include "adtr/core/arena.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/core/view.hpp"
#include "adtr/parallel/processors.hpp"  // threads_note(), for users of Context
#include "adtr/parallel/thread_pool.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace eigen {

/// A handle to a set of threads; see ThreadPool for their number. Copies share the threads, and moving is copying.
struct Context {
  explicit Context(int threads = 0, Oversubscribe oversubscribe = Oversubscribe::no)
      : pool(std::make_shared<ThreadPool>(threads, oversubscribe)) {}
  Context(const Context&) = default;
  Context& operator=(const Context&) = default;
  ~Context() = default;

  /// Number of threads that run loops. It may be smaller than requested; threads_note() says why.
  [[nodiscard]] int threads() const { return pool->threads(); }

  std::shared_ptr<ThreadPool> pool;
};

/// Calls fn(i) for every i in [0, count). If one throws, as when there is no memory for its scratch, the exception is
/// thrown here after all calls, because on another thread it would end the program.
template <class F>
void for_each(const Context& context, Index count, F&& fn) {
  std::exception_ptr failure;
  std::atomic_flag failed;
  context.pool->for_each(count, [&](Index i) {
    try {
      fn(i);
    } catch (...) {
      if (!failed.test_and_set()) failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

/// Calls fn(first, count) for pieces of [0, size). All but the last have `piece` elements, for any number of threads.
template <class F>
void for_each_piece(const Context& context, Index size, Index piece, F&& fn) {
  for_each(context, ceil_div(size, piece), [&](Index i) {
    const Index first = i * piece;
    fn(first, (std::min)(piece, size - first));
  });
}

/// Calls fn(r) for all rows.
template <class F>
void each_row(const Context& context, Index rows, F&& fn) {
  for_each_piece(context, rows, 32, [&](Index first, Index count) {
    for (Index r = first; r < first + count; ++r) fn(r);
  });
}

/// Returns an arena of the calling thread with room for arrays of the given sizes. It is valid until the thread calls
/// this function again. Each array begins on a cache line, and may be read and written to the end of its last one.
template <class... Sizes>
[[nodiscard]] Arena<float> scratch(Sizes... sizes) {
  thread_local Buffer<float> buffer;
  const Index size = (aligned_size<float>(sizes) + ...);
  if (buffer.size() < size) buffer = Buffer<float>(size);
  return {buffer.data(), size};
}

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstMatrixMap = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

[[nodiscard]] inline MatrixMap as_eigen(MatrixView<float> m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}
[[nodiscard]] inline ConstMatrixMap as_eigen(MatrixView<const float> m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}

/// n elements that begin on a cache line. Eigen's vectorised functions and reductions get only such memory, because
/// otherwise their rounding and the order of their additions depend on the address.
using AlignedArray = Eigen::Map<Eigen::ArrayXf, Eigen::AlignedMax>;

}  // namespace eigen
}  // namespace ADTR_ABI
}  // namespace adtr
