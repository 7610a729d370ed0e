/// Reference: the distance to the nearest token of a bank.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adtr/backend/reference/context.hpp"
#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace reference {

template <class T>
struct Nearest {
  struct TokenBank {
    std::vector<T> values;
    Index tokens = 0;
  };

  static void pack_tokens(const Context&, MatrixView<const T> tokens, TokenBank& bank) {
    bank = {{}, tokens.rows};
    for (Index n = 0; n < tokens.rows; ++n)
      bank.values.insert(bank.values.end(), tokens.row(n), tokens.row(n) + tokens.cols);
  }

  static void nearest(const Context&, MatrixView<const T> x, const TokenBank& bank, T* distances) {
    const MatrixView<const T> tokens(bank.values.data(), bank.tokens, x.cols);
    for (Index r = 0; r < x.rows; ++r) {
      double smallest = std::numeric_limits<double>::infinity();
      for (Index n = 0; n < tokens.rows; ++n) {
        double sum = 0.0;
        for (Index c = 0; c < x.cols; ++c) {
          const double d = static_cast<double>(x.row(r)[c]) - static_cast<double>(tokens.row(n)[c]);
          sum += d * d;
        }
        if (!(sum >= smallest)) smallest = sum;  // NaN stays NaN
      }
      distances[r] = static_cast<T>(std::sqrt(smallest));
    }
  }
};

}  // namespace reference
}  // namespace ADTR_ABI
}  // namespace adtr
