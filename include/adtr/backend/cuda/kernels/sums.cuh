/// CUDA: sums over the lanes of a warp, the threads of a block, rows and columns; the shapes alone fix their order.
#pragma once

#include "adtr/backend/cuda/execution.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::kernels {

/// The sum over `Lanes` neighbouring lanes (a power of 2), with the same bits in each lane.
template <int Lanes = warp, class Context, class T>
ADTR_DEVICE T sum_lanes(Context& cx, T value) {
  ADTR_UNROLLED for (int mask = Lanes / 2; mask > 0; mask /= 2) value += cx.shuffle_xor(value, mask);
  return value;
}

/// The maximum over `Lanes` neighbouring lanes, in each of them.
template <int Lanes = warp, class Context>
ADTR_DEVICE float largest_lane(Context& cx, float value) {
  ADTR_UNROLLED for (int mask = Lanes / 2; mask > 0; mask /= 2) {
    const float other = cx.shuffle_xor(value, mask);
    value = value < other ? other : value;
  }
  return value;
}

/// The sum over the block's `Threads` threads, valid in thread 0.
template <int Threads, class Context>
ADTR_DEVICE double sum_block(Context& cx, double value) {
  const auto parts = cx.template shared<double, Threads / warp, 0>();
  value = sum_lanes(cx, value);
  if (cx.lane() == 0) cx.store(parts, cx.warp_index(), value);
  cx.barrier();
  double sum = 0.0;
  if (cx.thread() == 0)
    for (int w = 0; w < Threads / warp; ++w) sum += cx.load(parts, w);
  return sum;
}

/// The lane's share of the sum of f(c) over the columns c of a row, in doubles.
template <class Context, class F>
ADTR_DEVICE double lane_sum(Context& cx, Index cols, const F& f) {
  double sum = 0.0;
  for (Index c = cx.lane(); c < cols; c += warp) sum += static_cast<double>(f(c));
  return sum;
}

/// The sum of f(c) over the columns c of a row, computed by one warp in doubles.
template <class Context, class F>
ADTR_DEVICE double sum_row(Context& cx, Index cols, const F& f) {
  return sum_lanes(cx, lane_sum(cx, cols, f));
}

/// Calls done(r, sum of share(r) over the lanes) in one lane for each row r. The block's `Warps` warps share the rows.
/// A warp takes four rows at a time, so that it waits for their loads once.
template <int Warps, class Context, class Share, class Done>
ADTR_DEVICE void sum_each_row(Context& cx, Index rows, const Share& share, const Done& done) {
  constexpr int at_once = 4;
  for (Index first = cx.warp_index(); first < rows; first += at_once * Warps) {
    Array<decltype(share(first)), at_once> sums = {};
    ADTR_UNROLLED for (int i = 0; i < at_once; ++i) if (first + i * Warps < rows) sums[i] = share(first + i * Warps);
    ADTR_UNROLLED for (int i = 0; i < at_once; ++i) sums[i] = sum_lanes(cx, sums[i]);
    ADTR_UNROLLED for (int i = 0; i < at_once; ++i) if (cx.lane() == 0 && first + i * Warps < rows)
        done(first + i * Warps, sums[i]);
  }
}

/// Column sums, 32 columns per block. Each of eight warps takes every eighth row. It adds up 16 rows at a time in
/// floats, and those sums in doubles, which stays accurate for any number of rows.
struct ColumnBlock {
  static constexpr int threads = 256;
  static constexpr int columns = warp;

  /// `values(r, c, v)` writes to v the terms of row r for the `Sums` sums of column c. `done(c, totals)` is called once
  /// for each column of the block, after all of its rows were read.
  template <int Sums, class Context, class Values, class Done>
  ADTR_DEVICE static void sum(Context& cx, Index rows, Index cols, const Values& values, const Done& done) {
    constexpr int groups = threads / warp;
    constexpr int run = 16;
    const auto parts = cx.template shared<double, Sums * threads, 0>();
    const Index c = cx.block_x() * columns + cx.lane();
    Array<double, Sums> totals = {};
    if (c < cols)
      for (Index first = cx.warp_index(); first < rows; first += groups * run) {
        Array<float, Sums> part = {};
        for (Index r = first; r < rows && r < first + groups * run; r += groups) {
          Array<float, Sums> v;
          values(r, c, v);
          ADTR_UNROLLED for (int s = 0; s < Sums; ++s) part[s] += v[s];
        }
        ADTR_UNROLLED for (int s = 0; s < Sums; ++s) totals[s] += static_cast<double>(part[s]);
      }
    ADTR_UNROLLED for (int s = 0; s < Sums; ++s) cx.store(parts, s * threads + cx.thread(), totals[s]);
    cx.barrier();
    if (cx.warp_index() > 0 || c >= cols) return;
    ADTR_UNROLLED for (int s = 0; s < Sums; ++s) {
      totals[s] = 0.0;
      for (int g = 0; g < groups; ++g) totals[s] += cx.load(parts, s * threads + g * warp + cx.lane());
    }
    done(c, totals);
  }
};

}  // namespace cuda::kernels
}  // namespace ADTR_ABI
}  // namespace adtr
