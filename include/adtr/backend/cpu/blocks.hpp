/// Cpu: the inverted residual block, which never stores the whole expanded map.
#pragma once

#include "adtr/backend/cpu/maps.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// Expansion and depthwise convolution are fused and stay in the second-level cache (kernels/filter.inl.hpp). The same
/// pass computes the sums for squeeze-and-excitation. Its gates are multiplied into the projection's weights or into
/// its input map, whichever is smaller.
struct Blocks {
  static constexpr Index inverted_residual_scratch(const InvertedResidualShape& s) {
    return aligned_size<float>(s.batch * s.out_height * s.out_width * s.channels) + aligned_size<float>(sums(s)) +
           aligned_size<float>(Gates::elements(s.batch, s.channels, s.squeezed)) + scaled(s);
  }

  static void inverted_residual(const Context& context, MapView<const float> x,
                                const InvertedResidual<float, Packed>& block, float* scratch, MapView<float> y) {
    const InvertedResidualShape s = shape_of(x, block, y);
    const MapView<float> filtered(scratch, y.batch, y.height, y.width, s.channels);
    float* const sum = scratch + aligned_size<float>(filtered.pixels() * s.channels);
    float* const gates_memory = sum + aligned_size<float>(sums(s));
    float* const scaled_weight = gates_memory + aligned_size<float>(Gates::elements(s.batch, s.channels, s.squeezed));

    FilterTask task = Filters::task(x, block.window, block.depthwise, block.depthwise_bias, block.activation, filtered);
    if (block.expand != nullptr) {
      task.expand = block.expand->values.data();
      task.inputs = block.expand->inputs;
      task.expand_bias = block.expand_bias;
    }
    Filters::run(context, task, x, filtered, s.squeezed > 0 ? sum : nullptr);
    const Epilogue<float> epilogue{block.project_bias, block.residual ? x.matrix() : MatrixView<const float>{},
                                   Activation::none};
    if (s.squeezed == 0) return Gemm::multiply(context, filtered.matrix(), *block.project, epilogue, y.matrix());

    const Gates gates = Gates::in(gates_memory, s.batch, s.channels, s.squeezed);
    const Index sums_of_image = sums(s) / (s.batch * s.channels);
    gates.take_mean(context, sum, s.channels, sums_of_image, s.out_height * s.out_width);
    gates.compute(context, block.excite);
    if (scaled(s) == 0) {
      Maps::scale(context, filtered, gates.gate);
      return Gemm::multiply(context, filtered.matrix(), *block.project, epilogue, y.matrix());
    }
    for (Index n = 0; n < s.batch; ++n)
      project_image(
          context, filtered.image(n).matrix(), *block.project, gates.gate + n * s.channels, scaled_weight,
          {block.project_bias, block.residual ? x.image(n).matrix() : MatrixView<const float>{}, Activation::none},
          y.image(n).matrix());
  }

 private:
  [[nodiscard]] static InvertedResidualShape shape_of(MapView<const float> x,
                                                      const InvertedResidual<float, Packed>& block, MapView<float> y) {
    return {x.batch,
            x.height,
            x.width,
            y.height,
            y.width,
            block.window.kernel,
            block.window.stride,
            block.project->inputs,
            block.project->outputs,
            block.excite.squeezed,
            block.expand != nullptr};
  }

  /// Number of row sums for squeeze-and-excitation.
  [[nodiscard]] static constexpr Index sums(const InvertedResidualShape& s) {
    if (s.squeezed == 0) return 0;
    return s.batch * s.out_height * Filters::pieces_of_row(s.kernel, s.stride, s.in_height, s.in_width, s.out_width) *
           s.channels;
  }
  /// Number of projection weights to scale by the gates; 0 if the map is smaller and is scaled instead.
  [[nodiscard]] static constexpr Index scaled(const InvertedResidualShape& s) {
    const bool map_is_smaller = s.out_height * s.out_width < s.outputs;
    if (s.squeezed == 0 || map_is_smaller) return 0;
    return round_up(s.outputs, panel_columns) * s.channels;
  }

  static void project_image(const Context& context, MatrixView<const float> filtered, const Packed& project,
                            const float* gate, float* scaled_weight, const Epilogue<float>& epilogue,
                            MatrixView<float> y) {
    const Kernels& kernel = kernels();
    context.for_ranges(project.panels(), 1, static_cast<double>(project.panel()), [&](Index begin, Index end) {
      kernel.scale_panels(project.values.data() + begin * project.panel(), end - begin, project.inputs, gate,
                          scaled_weight + begin * project.panel());
    });
    Gemm::multiply(context, filtered, PackedView{scaled_weight, project.inputs, project.outputs}, epilogue, y);
  }
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr
