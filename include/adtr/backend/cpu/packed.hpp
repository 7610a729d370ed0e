/// Matrices in the packed layout of the Cpu backend's products.
#pragma once

#include <algorithm>

#include "adtr/backend/cpu/context.hpp"
#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/core/buffer.hpp"
#include "adtr/core/ceil_div.hpp"
#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// A non-owning view of a packed matrix.
struct PackedView {
  const float* values = nullptr;
  Index inputs = 0;
  Index outputs = 0;

  [[nodiscard]] Index panels() const { return ceil_div(outputs, panel_columns); }
};

/// A matrix b (inputs, outputs) in panels of 16 columns: panel p is a matrix (inputs, 16) of columns 16p to 16p + 15,
/// with zeros beyond the last. Panels are aligned to cache lines. The layout is the same for all instruction sets.
struct Packed {
  Buffer<float> values;
  Index inputs = 0;
  Index outputs = 0;

  [[nodiscard]] PackedView view() const { return {values.data(), inputs, outputs}; }
  [[nodiscard]] Index panels() const { return view().panels(); }
  [[nodiscard]] Index panel() const { return inputs * panel_columns; }
  [[nodiscard]] float* panel_data(Index p) { return values.data() + p * panel(); }

  /// Sets new sizes; reuses memory of the right size.
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
      const Index first = begin * panel_columns, last = (std::min)(end * panel_columns, w.rows);
      kernels().pack(w.row(first), w.stride, last - first, w.cols, packed.panel_data(begin));
    });
  }

  static void pack_transposed(const Context& context, MatrixView<const float> w, Packed& packed) {
    packed.resize(w.rows, w.cols);
    context.for_ranges(packed.panels(), 1, static_cast<double>(packed.panel()), [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        float* panel = packed.panel_data(p);
        const Index first = p * panel_columns, columns = (std::min)(panel_columns, w.cols - first);
        for (Index k = 0; k < w.rows; ++k, panel += panel_columns) {
          std::copy_n(w.row(k) + first, columns, panel);
          std::fill(panel + columns, panel + panel_columns, 0.0F);
        }
      }
    });
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr
