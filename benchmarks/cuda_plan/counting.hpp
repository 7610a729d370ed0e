/// A backend that computes nothing: it counts what the CUDA backend would do for the same calls.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "adtr/backend/backend.hpp"
#include "adtr/backend/cuda.hpp"
#include "adtr/backend/host_memory.hpp"

namespace cuda_plan {

using adtr::Index, adtr::MapView, adtr::MatrixView;

/// The cost of one operation, summed over its calls.
struct Cost {
  Index calls = 0, launches = 0;
  double flop = 0.0;
  double bytes = 0.0;  ///< of global memory; counts each matrix once for each kernel that reads or writes it
};
using Ledger = std::map<std::string, Cost>;

/// The time of one call is the longer of the times of its arithmetic and of its memory. Users of this list add up
/// `seconds(flop, bytes)` of each call, which the sums in a Ledger would not allow.
struct Call {
  bool product;  ///< whether tensor cores can compute it
  double flop, bytes;
};

struct Context {
  explicit Context(int /*threads*/ = 1) {}
  void count(const char* name, Index launches, double flop, double floats, bool product = false) const {
    Cost& cost = (*ledger)[name];
    ++cost.calls;
    cost.launches += launches;
    cost.flop += flop;
    cost.bytes += 4.0 * floats;
    calls->emplace_back(name, Call{product, flop, 4.0 * floats});
  }
  std::shared_ptr<Ledger> ledger = std::make_shared<Ledger>();
  std::shared_ptr<std::vector<std::pair<std::string, Call>>> calls =
      std::make_shared<std::vector<std::pair<std::string, Call>>>();
};

struct Counting : adtr::HostMemory<float> {
  using Scalar = float;
  using Context = cuda_plan::Context;
  static constexpr const char* name = "counting";
  static constexpr bool on_host = false;  // so that batches are processed as on a GPU
  struct Packed {
    Index inputs = 0, outputs = 0;
  };
  using TokenBank = Packed;
  using In = MatrixView<const float>;
  using Out = MatrixView<float>;
  using MapIn = MapView<const float>;
  using MapOut = MapView<float>;

  static double size(In m) { return static_cast<double>(m.rows) * static_cast<double>(m.cols); }
  static double size(MapIn m) { return size(m.matrix()); }
  static double of(Index n) { return static_cast<double>(n); }

  static void copy(const Context& c, In x, Out) { c.count("copy", 1, 0, 2 * size(x)); }
  template <class T>
  static void zero(const Context& c, T*, Index n) {
    c.count("zero", 1, 0, sizeof(T) / 4.0 * of(n));
  }
  static void upload(const Context&, const float*, Index, float*) {}
  template <class T>
  static void download(const Context&, const T*, Index, T*) {}

  static void pack(const Context& c, In w, Packed& p) {
    p = {w.cols, w.rows};
    c.count("pack", 1, 0, 2 * size(w));
  }
  static void pack_transposed(const Context& c, In w, Packed& p) {
    p = {w.rows, w.cols};
    c.count("pack", 1, 0, 2 * size(w));
  }
  static void multiply(const Context& c, In a, const Packed& b, const adtr::Epilogue<float>& e, Out y) {
    c.count("multiply", 1, 2 * size(a) * of(b.outputs),
            size(a) + of(b.inputs) * of(b.outputs) + size(y) * (e.residual.data != nullptr ? 2 : 1), true);
  }
  static void accumulate_weight_gradient(const Context& c, In dy, In x, Out dw) {
    c.count("weight_gradient", 1, 2 * size(dy) * of(x.cols), size(dy) + size(x) + 2 * size(dw), true);
  }
  static void accumulate_column_sums(const Context& c, In a, float*) { c.count("column_sums", 1, size(a), size(a)); }
  static void convolve(const Context& c, MapIn x, const adtr::Window& w, const Packed& b, const adtr::Epilogue<float>&,
                       MapOut y) {
    c.count("convolve", 1, 2 * size(y) * of(w.kernel * w.kernel * x.channels),
            size(x) + of(b.inputs) * of(b.outputs) + size(y), true);
  }
  static void depthwise(const Context& c, MapIn x, const adtr::Window& w, const float*, const float*, adtr::Activation,
                        MapOut y) {
    c.count("depthwise", 1, 2 * size(y) * of(w.kernel * w.kernel), size(x) + size(y));
  }
  static void squeeze_excite(const Context& c, MapOut x, const adtr::SqueezeExcite<float>& s, float*) {
    const double weights = 2 * of(x.channels) * of(s.squeezed);
    c.count("squeeze_excite", 4, 2 * size(x) + 2 * of(x.batch) * weights, 3 * size(x) + weights);
  }
  static constexpr Index inverted_residual_scratch(const adtr::InvertedResidualShape& s) {
    return adtr::CudaEmulator::inverted_residual_scratch(s);
  }
  /// Squeeze-and-excitation has one launch of its own, for the gates. The filter and the projection do the rest of its
  /// arithmetic on values that they have already read.
  static void inverted_residual(const Context& c, MapIn x, const adtr::InvertedResidual<float, Packed>& block,
                                float* scratch, MapOut y) {
    const Index channels = block.channels;
    MapIn wide = x;
    if (block.expand != nullptr) {
      const MapOut map(scratch, x.batch, x.height, x.width, channels);
      multiply(c, x.matrix(), *block.expand, {block.expand_bias, {}, block.activation}, map.matrix());
      wide = map;
    }
    const MapOut filtered(scratch, y.batch, y.height, y.width, channels);
    depthwise(c, wide, block.window, block.depthwise, block.depthwise_bias, block.activation, filtered);
    if (const Index squeezed = block.excite.squeezed; squeezed > 0) {
      using adtr::cuda::kernels::FilterBlock;
      const double weights = of(channels) * of(squeezed), tiles = of(FilterBlock::count(y.height, y.width, 1));
      const double parts = of(y.batch * squeezed * FilterBlock::count(y.height, y.width, channels));
      c.count("squeeze_excite", 1, 2 * size(filtered) + 2 * of(y.batch) * weights * (tiles + 1),
              2 * parts + 2 * weights + 2 * of(y.batch * channels));
    }
    multiply(c, filtered.matrix(), *block.project,
             {block.project_bias, block.residual ? x.matrix() : In{}, adtr::Activation::none}, y.matrix());
  }
  static void max_pool(const Context& c, MapIn x, const adtr::Window& w, MapOut y) {
    c.count("max_pool", 1, size(y) * of(w.kernel * w.kernel), size(x) + size(y));
  }
  static void resize(const Context& c, MapIn x, MapOut y) { c.count("resize", 1, 8 * size(y), size(x) + size(y)); }
  static void resize_area(const Context& c, MapIn x, MapOut y) {
    c.count("resize_area", 1, 2 * size(x) + 2 * size(y), size(x) + size(y));
  }
  static void standardise(const Context& c, MapOut x, const float*, const float*) {
    c.count("standardise", 1, 2 * size(x), 2 * size(x));
  }
  static void add_positions(const Context& c, In x, In p, Out) {
    c.count("add_positions", 1, size(x), 2 * size(x) + size(p));
  }
  static void accumulate_positions(const Context& c, In dy, Out p) {
    c.count("accumulate_positions", 1, size(dy), size(dy) + 2 * size(p));
  }
  /// Counts the products of queries with keys and of weights with values, over all heads.
  static double attention_product(const adtr::Attention<float>& a) { return 2 * size(a.query) * of(a.tokens); }
  static void attention(const Context& c, const adtr::Attention<float>& a) {
    c.count("attention", 1, 2 * attention_product(a), 4 * size(a.query), true);
  }
  /// Counts three products for the gradient of the queries and four for those of keys and values, because no two blocks
  /// add to the same sum.
  static void attention_backward(const Context& c, const adtr::Attention<float>& a,
                                 const adtr::AttentionGradient<float>&) {
    c.count("attention_backward", 2, 7 * attention_product(a), 13 * size(a.query), true);
  }
  static void layer_norm(const Context& c, In x, const float*, const float*, float, Out, float*) {
    c.count("layer_norm", 1, 8 * size(x), 2 * size(x));
  }
  static void layer_norm_backward(const Context& c, In x, const float*, const float*, In, Out, float*, float*) {
    c.count("layer_norm_backward", 2, 15 * size(x), 5 * size(x));
  }
  static void dropout(const Context& c, In x, const adtr::Dropout&, In residual, Out) {
    c.count("dropout", 1, 2 * size(x), size(x) * (residual.data != nullptr ? 3 : 2));
  }
  static void relu_backward(const Context& c, In h, float, Out) { c.count("relu_backward", 1, size(h), 3 * size(h)); }
  static void accumulate(const Context& c, In x, Out) { c.count("accumulate", 1, size(x), 3 * size(x)); }
  static void difference_norm(const Context& c, In f, In, float*) {
    c.count("difference_norm", 1, 3 * size(f), 2 * size(f));
  }
  static void cosine_distance(const Context& c, In f, In, float*) {
    c.count("cosine_distance", 1, 8 * size(f), 2 * size(f));
  }
  static void pack_tokens(const Context& c, In tokens, TokenBank& bank) {
    bank = {tokens.cols, tokens.rows};
    c.count("pack_tokens", 2, 2 * size(tokens), 3 * size(tokens));
  }
  static void nearest(const Context& c, In x, const TokenBank& bank, float*) {
    c.count("nearest", 1, 2 * size(x) * of(bank.outputs), size(x) + of(bank.inputs) * of(bank.outputs));
  }
  static void norm_gradient(const Context& c, In f, In, float, Out, double*) {
    c.count("norm_gradient", 2, 4 * size(f), 3 * size(f));
  }
  static void mean_difference(const Context& c, In f, In, float*) {
    c.count("mean_difference", 1, 3 * size(f), 2 * size(f));
  }
  static void sign_gradient(const Context& c, In f, In, const float*, Out) {
    c.count("sign_gradient", 1, 3 * size(f), 3 * size(f));
  }
  static void anomaly_weights(const Context& c, const adtr::AnomalyLoss&, In, In m, Out, double*) {
    c.count("anomaly_weights", 2, 10 * size(m), 3 * size(m));
  }
  static void squared_norm(const Context& c, const float*, Index n, double*) {
    c.count("squared_norm", 2, 2 * of(n), of(n));
  }
  static void adamw(const Context& c, const adtr::AdamW&, Index n, float*, const float*, float*, float*) {
    c.count("adamw", 1, 15 * of(n), 7 * of(n));
  }
};
static_assert(adtr::Backend<Counting>);

}  // namespace cuda_plan
