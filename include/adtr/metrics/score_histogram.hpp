/// Histograms that store any number of scores in a fixed amount of memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "adtr/core/abi.hpp"
#include "adtr/core/error.hpp"
#include "adtr/metrics/ranking.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Maps a score, which must not be NaN, to an integer with the same order. −0 and 0 give the same integer.
inline std::uint32_t order_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

inline float score_of(std::uint32_t order) {
  return std::bit_cast<float>((order & 0x80000000U) != 0 ? order & 0x7FFFFFFFU : ~order);
}

/// Scores in bins from the lowest to the highest, each with a Count of its scores. A bin contains the scores that agree
/// in the upper bits of order_of(), and stores the lowest and the highest of them. All 32 bits are compared while there
/// are at most `max_bins` distinct scores. Then the lowest bit is dropped, and one more whenever there are too many
/// bins, so that the memory is bounded. The bins depend only on the scores, not on their order. A Count is constructed
/// from the 32-bit tag of a score, and Counts are added with +=.
template <class Count>
class SparseHistogram {
 public:
  struct Bin {
    std::uint32_t lowest, highest;  ///< order_of() the scores
    Count count;
    /// Whether all scores in the bin are equal, so that their order is known.
    [[nodiscard]] bool single() const { return lowest == highest; }
  };

  explicit SparseHistogram(std::size_t max_bins) : max_bins_(std::max<std::size_t>(max_bins, 1)) {}

  void add(float score, std::uint32_t tag) {
    if (waiting_.size() == max_bins_) settle();
    if (waiting_.capacity() == 0) waiting_.reserve(max_bins_);
    waiting_.push_back(std::uint64_t{order_of(score)} << 32U | tag);
  }

  /// Merges the scores that were added last, then returns the bins from the lowest to the highest.
  [[nodiscard]] std::span<const Bin> bins() {
    settle();
    return bins_;
  }

 private:
  [[nodiscard]] std::uint64_t bin_of(std::uint32_t order) const { return std::uint64_t{order} >> dropped_; }
  static std::uint32_t order_in(std::uint64_t waiting) { return static_cast<std::uint32_t>(waiting >> 32U); }

  void settle() {
    if (waiting_.empty()) return;
    std::sort(waiting_.begin(), waiting_.end());
    std::size_t together = count_together();
    for (; together > max_bins_; together = count_together()) {
      ++dropped_;
      merge_neighbours();
    }
    merge_waiting(together);
    waiting_.clear();
  }

  /// The number of bins after the waiting scores are merged.
  [[nodiscard]] std::size_t count_together() const {
    std::size_t count = bins_.size();
    std::size_t b = 0;
    for (std::size_t w = 0; w < waiting_.size(); ++w) {
      const std::uint64_t bin = bin_of(order_in(waiting_[w]));
      if (w > 0 && bin == bin_of(order_in(waiting_[w - 1]))) continue;
      while (b < bins_.size() && bin_of(bins_[b].lowest) < bin) ++b;
      if (b == bins_.size() || bin_of(bins_[b].lowest) != bin) ++count;
    }
    return count;
  }

  static void put_into(Bin& bin, const Bin& more) {
    bin.lowest = (std::min)(bin.lowest, more.lowest);
    bin.highest = (std::max)(bin.highest, more.highest);
    bin.count += more.count;
  }

  void merge_neighbours() {
    std::size_t kept = 0;
    for (std::size_t b = 1; b < bins_.size(); ++b) {
      if (bin_of(bins_[b].lowest) == bin_of(bins_[kept].lowest))
        put_into(bins_[kept], bins_[b]);
      else
        bins_[++kept] = bins_[b];
    }
    if (!bins_.empty()) bins_.resize(kept + 1);
  }

  /// Merges in place, from the last bin to the first: each bin moves up to its position among `together` bins.
  void merge_waiting(std::size_t together) {
    std::size_t b = bins_.size(), w = waiting_.size(), to = together;
    if (bins_.capacity() < together) bins_.reserve((std::min)(max_bins_, (std::max)(together, 2 * bins_.capacity())));
    bins_.resize(together);
    while (w > 0) {
      const std::uint64_t bin = bin_of(order_in(waiting_[w - 1]));
      if (b > 0 && bin_of(bins_[b - 1].lowest) > bin) {
        bins_[--to] = bins_[--b];
        continue;
      }
      const std::uint32_t order = order_in(waiting_[w - 1]);
      Bin merged{order, order, Count()};
      if (b > 0 && bin_of(bins_[b - 1].lowest) == bin) put_into(merged, bins_[--b]);
      for (; w > 0 && bin_of(order_in(waiting_[w - 1])) == bin; --w) {
        const std::uint32_t one = order_in(waiting_[w - 1]);
        put_into(merged, {one, one, Count(static_cast<std::uint32_t>(waiting_[w - 1]))});
      }
      bins_[--to] = merged;
    }
  }

  std::size_t max_bins_;
  unsigned dropped_ = 0;  ///< number of low bits of order_of() that are not compared
  std::vector<Bin> bins_;
  std::vector<std::uint64_t> waiting_;  ///< order_of() the score, then its tag
};

struct PlainCount {
  PlainCount() = default;
  explicit PlainCount(std::uint32_t /*tag*/) : scores(1) {}
  PlainCount& operator+=(const PlainCount& more) {
    scores += more.scores;
    return *this;
  }
  std::uint64_t scores = 0;
};

}  // namespace detail

/// Stores any number of scores in at most 4 MiB, and returns their quantiles.
class ScoreHistogram {
 public:
  /// Quantiles are exact for up to `max_bins` distinct scores.
  explicit ScoreHistogram(std::size_t max_bins = std::size_t{1} << 17U) : histogram_(max_bins) {}

  /// Throws Error (bad_data) on NaN.
  void add(float score) {
    if (std::isnan(score)) throw Error("scores: expected numbers, found NaN", ErrorCode::bad_data);
    histogram_.add(score, 0);
    ++size_;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// The score of rank round(q · (size − 1)), 0 ≤ q ≤ 1. If there are more distinct scores than bins, it is a score of
  /// the same bin, which differs by less than a ten-thousandth for sets of real images. Throws Error (bad_data) without
  /// scores.
  [[nodiscard]] float quantile(double q) {
    if (empty()) throw Error("quantile: expected scores, found none", ErrorCode::bad_data);
    if (!(q >= 0.0 && q <= 1.0))
      throw Error("quantile: expected 0 to 1, found " + std::to_string(q), ErrorCode::option);
    const auto rank = static_cast<std::uint64_t>(std::llround(q * static_cast<double>(size_ - 1)));
    std::uint64_t below = 0;
    for (const auto& bin : histogram_.bins()) {
      below += bin.count.scores;
      if (below > rank) return detail::score_of(bin.lowest + (bin.highest - bin.lowest) / 2);
    }
    return detail::score_of(histogram_.bins().back().highest);
  }

  /// Whether all scores are finite; true without scores.
  [[nodiscard]] bool finite() {
    const auto bins = histogram_.bins();
    return bins.empty() || (std::isfinite(detail::score_of(bins.front().lowest)) &&
                            std::isfinite(detail::score_of(bins.back().highest)));
  }

 private:
  detail::SparseHistogram<detail::PlainCount> histogram_;
  std::uint64_t size_ = 0;
};

}  // namespace ADTR_ABI
}  // namespace adtr
