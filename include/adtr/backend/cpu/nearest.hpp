/// Cpu: the distance to the nearest token of a bank; see nearest_margin.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "adtr/backend/cpu/loops.hpp"
#include "adtr/backend/cpu/packed.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

struct Nearest {
  struct TokenBank {
    Packed packed;
    Buffer<float> bias;  ///< −‖b‖²/2 of each token, and −∞ in the panels' columns beyond the last
    float max_norm = 0.0F;
  };

  static void pack_tokens(const Context& context, MatrixView<const float> tokens, TokenBank& bank) {
    Packing::pack(context, tokens, bank.packed);
    const Index columns = bank.packed.panels() * panel_columns;
    if (bank.bias.size() != columns) bank.bias = Buffer<float>(columns);
    float* const bias = bank.bias.data();
    for_rows(context, tokens.rows, tokens.cols, [&](Index n) {
      double sum = 0.0;
      for (Index c = 0; c < tokens.cols; ++c)
        sum += static_cast<double>(tokens.row(n)[c]) * static_cast<double>(tokens.row(n)[c]);
      bias[n] = static_cast<float>(-0.5 * sum);
    });
    bank.max_norm = std::sqrt(-2.0F * *std::min_element(bias, bias + tokens.rows));
    std::fill(bias + tokens.rows, bias + columns, -std::numeric_limits<float>::infinity());
  }

  static void nearest(const Context& context, MatrixView<const float> x, const TokenBank& bank, float* distances) {
    const Kernels& kernel = kernels();
    const double cost = static_cast<double>(x.cols * bank.packed.outputs) / 16.0;  // products per element operation
    context.for_ranges(x.rows, kernel.row_tile, cost, [&](Index begin, Index end) {
      NearestTask task;
      task.x = x.row(begin);
      task.x_stride = x.stride;
      task.rows = end - begin;
      task.inputs = x.cols;
      task.b = bank.packed.values.data();
      task.tokens = bank.packed.outputs;
      task.bias = bank.bias.data();
      task.max_norm = bank.max_norm;
      task.distances = distances + begin;
      kernel.nearest(task, context.kernel_room().data());
    });
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr
