/// Matrices in the layout that the Cpu backend's products want.
#pragma once

#include <algorithm>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cpu/kernel_table.hpp"
#include "adtr/core/buffer.hpp"
#include "adtr/core/view.hpp"

namespace adtr::inline ADTR_ABI::cpu {

/// A packed matrix that somebody else owns.
struct PackedView {
  const float* values = nullptr;
  Index inputs = 0;
  Index outputs = 0;

  [[nodiscard]] Index panels() const { return (outputs + panel_columns - 1) / panel_columns; }
};

/// b (inputs, outputs) in panels of 16 columns: panel p is a matrix (inputs, 16) of columns 16p to 16p + 15, zeros
/// beyond the last, on a cache line. The same for every instruction set.
struct Packed {
  Buffer<float> values;
  Index inputs = 0;
  Index outputs = 0;

  [[nodiscard]] PackedView view() const { return {values.data(), inputs, outputs}; }
  [[nodiscard]] Index panels() const { return view().panels(); }
  [[nodiscard]] Index panel() const { return inputs * panel_columns; }
  [[nodiscard]] float* panel_data(Index p) { return values.data() + p * panel(); }

  /// Takes new sizes; memory of the right size is used again.
  void resize(Index new_inputs, Index new_outputs) {
    inputs = new_inputs;
    outputs = new_outputs;
    if (values.size() != panels() * panel()) values = Buffer<float>(panels() * panel());
  }
};

struct Packing {
  using Packed = cpu::Packed;

  static void pack(const Context& context, MatrixView<const float> w, Packed& packed) {
    packed.resize(w.cols, w.rows);
    context.for_ranges(packed.panels(), 1, static_cast<double>(packed.panel()), [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        float* panel = packed.panel_data(p);
        const Index first = p * panel_columns, columns = std::min(panel_columns, w.rows - first);
        for (Index k0 = 0; k0 < w.cols; k0 += panel_columns) {
          const Index k1 = std::min(w.cols, k0 + panel_columns);
          for (Index j = 0; j < columns; ++j)
            for (Index k = k0; k < k1; ++k) panel[k * panel_columns + j] = w.row(first + j)[k];
          for (Index j = columns; j < panel_columns; ++j)
            for (Index k = k0; k < k1; ++k) panel[k * panel_columns + j] = 0.0F;
        }
      }
    });
  }

  static void pack_transposed(const Context& context, MatrixView<const float> w, Packed& packed) {
    packed.resize(w.rows, w.cols);
    context.for_ranges(packed.panels(), 1, static_cast<double>(packed.panel()), [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        float* panel = packed.panel_data(p);
        const Index first = p * panel_columns, columns = std::min(panel_columns, w.cols - first);
        for (Index k = 0; k < w.rows; ++k, panel += panel_columns) {
          std::copy_n(w.row(k) + first, columns, panel);
          std::fill(panel + columns, panel + panel_columns, 0.0F);
        }
      }
    });
  }
};

}  // namespace adtr::inline ADTR_ABI::cpu
