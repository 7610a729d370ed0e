/// Greedy k-center: a few points that lie close to all others.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/view.hpp"
#include "adtr/parallel/run_each.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Chooses up to `count` rows of `points` (n, D) so that the largest distance from a row to its nearest chosen row is
/// at most twice the smallest possible one (Gonzalez, Theoretical Computer Science 38, 1985): each choice is the row
/// that is farthest from the rows chosen before. `chosen` holds the numbers of rows to begin with, at least one.
/// Returns them and the new ones, fewer than `count` if all other rows equal a chosen one. Takes n·D
/// multiply-accumulates a choice.
///
/// The rows are processed in blocks of fixed size, and the lowest number wins among rows of equal distance, so the
/// result is the same for any number of threads.
template <class T>
[[nodiscard]] std::vector<Index> k_centers(MatrixView<const T> points, std::vector<Index> chosen, Index count,
                                           const RunEach& run_each) {
  using Rows =
      Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>>;
  using Column = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  constexpr Index block_rows = 2048;
  const Rows all(points.data, points.rows, points.cols, Eigen::OuterStride<>(points.stride));
  const Index blocks = ceil_div(points.rows, block_rows);
  Column norms(points.rows), distances(points.rows);  // squared
  distances.setConstant((std::numeric_limits<T>::max)());
  run_each(blocks, [&](Index b) {
    const Index first = b * block_rows, n = (std::min)(block_rows, points.rows - first);
    norms.segment(first, n) = all.middleRows(first, n).rowwise().squaredNorm();
  });
  const T smallest = norms.maxCoeff() * static_cast<T>(1e-6);  // less than this is rounding: the rows are equal

  std::vector<std::pair<T, Index>> farthest(static_cast<std::size_t>(blocks));
  const auto take_in = [&](Index center) {
    const Column c = all.row(center).transpose();
    const T cc = norms[center];
    run_each(blocks, [&](Index b) {
      const Index first = b * block_rows, n = (std::min)(block_rows, points.rows - first);
      auto d = distances.segment(first, n);
      d = d.cwiseMin(norms.segment(first, n) - T{2} * (all.middleRows(first, n) * c) + Column::Constant(n, cc));
      if (center >= first && center < first + n) distances[center] = T{0};
      Index at = 0;
      const T largest = d.maxCoeff(&at);
      farthest[static_cast<std::size_t>(b)] = {largest, first + at};
    });
  };
  for (const Index center : chosen) take_in(center);
  while (static_cast<Index>(chosen.size()) < (std::min)(count, points.rows)) {
    std::pair<T, Index> next{T{0}, -1};
    for (const auto& candidate : farthest)
      if (candidate.first > next.first) next = candidate;
    if (next.second < 0 || next.first <= smallest) break;
    chosen.push_back(next.second);
    take_in(next.second);
  }
  return chosen;
}

}  // namespace ADTR_ABI
}  // namespace adtr
