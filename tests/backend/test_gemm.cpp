/// Matrix products, their gradients and dense convolution.
#include "backend/suite.hpp"

using namespace suite;
using adtr::Activation;
using adtr::Epilogue;
using adtr::MatrixView;
using adtr::Window;

namespace {

struct Gemm {
  Index rows, inputs, outputs;
  bool transposed = false, bias = true, strided = false;
  enum class Residual { none, other, result } residual = Residual::none;
  Activation activation = Activation::none;
};

/// c with the memory around it.
auto multiply(const Gemm& p) {
  return [p]<class B>(const typename B::Context& context, Images images) {
    using T = typename B::Scalar;
    const Rows<T> a(images, p.rows, p.inputs, 1, 1.0F, p.strided);
    const Rows<T> residual(images, p.rows, p.outputs, 2, 1.0F, p.strided);
    Rows<T> c(images, p.rows, p.outputs, 3, 1.0F, p.strided);
    const Rows<T> w = p.transposed ? Rows<T>({}, p.inputs, p.outputs, 4, 1.0F, p.strided)
                                   : Rows<T>({}, p.outputs, p.inputs, 4, 1.0F, p.strided);
    const auto bias = numbers<T>(p.outputs, 5);
    typename B::Packed packed;
    p.transposed ? B::pack_transposed(context, w.in(), packed) : B::pack(context, w.in(), packed);
    Epilogue<T> epilogue{p.bias ? bias.data() : nullptr, {}, p.activation};
    if (p.residual == Gemm::Residual::other) epilogue.residual = residual.in();
    if (p.residual == Gemm::Residual::result) epilogue.residual = c.in();
    B::multiply(context, a.in(), packed, epilogue, c.view);
    return c.memory;
  };
}

struct Convolution {
  Index height, width, channels, outputs;
  Window window;
  Index out_height, out_width;
  Activation activation = Activation::none;
  bool residual = false, strided = false;
};

auto convolve(const Convolution& p) {
  return [p]<class B>(const typename B::Context& context, Images images) {
    using T = typename B::Scalar;
    const Maps<T> x(images, p.height, p.width, p.channels, 1, 1.0F, p.strided);
    Maps<T> y(images, p.out_height, p.out_width, p.outputs, 2, 1.0F, p.strided);
    const Index inputs = p.window.kernel * p.window.kernel * p.channels;
    const auto w = numbers<T>(p.outputs * inputs, 3);
    const auto bias = numbers<T>(p.outputs, 4);
    typename B::Packed packed;
    B::pack(context, {w.data(), p.outputs, inputs}, packed);
    Epilogue<T> epilogue{bias.data(), {}, p.activation};
    if (p.residual) epilogue.residual = y.rows.in();
    B::convolve(context, x.in(), p.window, packed, epilogue, y.view);
    return y.rows.memory;
  };
}

}  // namespace

TEMPLATE_TEST_CASE("multiply: shapes of networks", "[backend]", ADTR_GEMM_BACKENDS) {
  // Rows, inputs, outputs of B4's expansions and projections, of the transformer, of 32×32 images.
  for (const auto& p : {Gemm{256, 720, 256}, Gemm{256, 256, 1024}, Gemm{64, 1632, 272}, Gemm{1024, 32, 192},
                        Gemm{1024, 144, 24}, Gemm{4, 320, 56}}) {
    if (!affordable<TestType>(p.rows * p.inputs * p.outputs)) continue;
    CAPTURE(p.rows, p.inputs, p.outputs);
    check_batch<TestType>(multiply(p), 2, gemm_bound<TestType>(p.inputs));
  }
}

TEMPLATE_TEST_CASE("multiply: odd shapes", "[backend]", ADTR_GEMM_BACKENDS) {
  // The tiles of the CUDA kernels are larger than all of these rows, so a part of the shapes has each kind of edge.
  using Sizes = std::vector<Index>;
  constexpr bool few = emulated<TestType>;
  for (const Index rows : few ? Sizes{1, 13} : Sizes{1, 5, 7, 13})
    for (const Index outputs : few ? Sizes{1, 24, 100, 193} : Sizes{1, 3, 24, 56, 100, 193})
      for (const Index inputs : few ? Sizes{1, 27, 33, 130} : Sizes{1, 2, 27, 33, 130})
        for (const bool transposed : {false, true}) {
          CAPTURE(rows, inputs, outputs, transposed);
          check_batch<TestType>(multiply({rows, inputs, outputs, transposed}), 3, gemm_bound<TestType>(inputs));
        }
}

TEMPLATE_TEST_CASE("multiply: bias, residual, activation, strides", "[backend]", ADTR_GEMM_BACKENDS) {
  using enum Gemm::Residual;
  for_each(Shapes<3>{{37, 19, 41}, {130, 24, 200}}, [&](Index rows, Index inputs, Index outputs) {
    for (const auto residual : {none, other, result})
      for (const auto activation : activations) {
        // The kernels of all precisions share the activations, which are tested in float.
        if (emulated_tensor<TestType> && activation != Activation::silu) continue;
        for (const bool bias : {false, true})
          for (const bool strided : {false, true}) {
            CAPTURE(rows, residual, activation, bias, strided);
            check_batch<TestType>(multiply({rows, inputs, outputs, strided, bias, strided, residual, activation}), 2,
                                  gemm_bound<TestType>(inputs));
          }
      }
  });
}

TEMPLATE_TEST_CASE("pack: a second matrix replaces the first", "[backend]", ADTR_GEMM_BACKENDS) {
  const auto run = [&]<class B>(const typename B::Context& context) {
    using T = typename B::Scalar;
    const auto w = numbers<T>(60 * 50, 1);
    const auto x = numbers<T>(4 * 60, 2);
    typename B::Packed packed;
    std::vector<T> result;
    const auto multiply = [&](Index inputs, Index outputs) {
      std::vector<T> c(size(4 * outputs));
      B::multiply(context, {x.data(), 4, inputs}, packed, {}, {c.data(), 4, outputs});
      result.insert(result.end(), c.begin(), c.end());
    };
    B::pack(context, {w.data(), 50, 60}, packed);
    multiply(60, 50);
    B::pack(context, {w.data() + 7, 50, 59}, packed);
    multiply(59, 50);
    B::pack(context, {w.data(), 3, 60}, packed);
    multiply(60, 3);
    B::pack_transposed(context, {w.data(), 60, 50}, packed);
    multiply(60, 50);
    B::pack_transposed(context, {w.data() + 1, 60, 50, 49}, packed);
    multiply(60, 50);
    return result;
  };
  check<TestType>(run, gemm_bound<TestType>(60));
}

TEMPLATE_TEST_CASE("activations: accurate everywhere, finite at the extremes", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  std::vector<float> x{0.0F,   -0.0F,  1e-30F,  -1e-30F, 6.0F,    -6.0F, 87.0F, -87.0F, 88.5F,
                       -88.5F, 100.0F, -100.0F, 104.0F,  -104.0F, 1e4F,  -1e4F, 1e6F,   -1e6F};
  for (Index i = -2500; i <= 2500; ++i) x.push_back(static_cast<float>(i) * 0.01F);
  typename B::Packed packed;
  const std::vector<float> one{1.0F};
  B::pack(one_thread<B>(), {one.data(), 1, 1}, packed);
  std::vector<float> y(x.size());
  for (const auto activation : activations) {
    const auto n = static_cast<Index>(x.size());
    B::multiply(one_thread<B>(), {x.data(), n, 1}, packed, {nullptr, {}, activation}, {y.data(), n, 1});
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto expected = adtr::reference::activate(static_cast<double>(x[i]), activation);
      CAPTURE(activation, x[i]);
      CHECK(std::abs(static_cast<double>(y[i]) - expected) <= exponential_bound(x[i]) * std::abs(expected) + 1e-30);
    }
  }
}

TEMPLATE_TEST_CASE("accumulate_weight_gradient", "[backend]", ADTR_GEMM_BACKENDS) {
  for_each(Shapes<3>{{512, 256, 720},
                     {1024, 24, 100},
                     {1, 1, 1},
                     {5, 3, 27},
                     {13, 56, 1},
                     {7, 1, 33},
                     {130, 130, 67},
                     {2000, 7, 9}},
           [&](Index rows, Index outputs, Index inputs) {
             if (!affordable<TestType>(rows * outputs * inputs)) return;
             for (const bool strided : {false, true}) {
               CAPTURE(rows, outputs, inputs, strided);
               const auto run = [&]<class B>(const typename B::Context& context) {
                 using T = typename B::Scalar;
                 const Rows<T> dy({}, rows, outputs, 1, 1.0F, strided);
                 const Rows<T> x({}, rows, inputs, 2, 1.0F, strided);
                 Rows<T> dw({}, outputs, inputs, 3, 1.0F, strided);
                 B::accumulate_weight_gradient(context, dy.in(), x.in(), dw.view);
                 return dw.memory;
               };
               check<TestType>(run, gemm_bound<TestType>(rows));
             }
           });
}

TEMPLATE_TEST_CASE("accumulate_column_sums", "[backend]", ADTR_BACKENDS) {
  for (const Index rows : {1, 5, 64, 1000, 4096})
    for (const Index columns : {1, 7, 24, 100, 256}) {
      CAPTURE(rows, columns);
      const auto run = [&]<class B>(const typename B::Context& context) {
        using T = typename B::Scalar;
        const Rows<T> a({}, rows, columns, 1, 1.0F, columns != 256);
        auto sums = numbers<T>(columns, 2);
        B::accumulate_column_sums(context, a.in(), sums.data());
        return sums;
      };
      check<TestType>(run, sum_bound(rows));
    }
}

TEMPLATE_TEST_CASE("convolve", "[backend]", ADTR_GEMM_BACKENDS) {
  for (const auto& p : {
           Convolution{64, 64, 3, 32, {3, 2, 1, 1}, 32, 32, Activation::silu},   // EfficientNet's stem
           Convolution{64, 64, 3, 32, {3, 2, 0, 0}, 32, 32, Activation::relu6},  // the same, SAME padding
           Convolution{32, 32, 3, 64, {7, 2, 3, 3}, 16, 16, Activation::relu},   // ResNet's stem
           Convolution{8, 8, 64, 64, {3, 1, 1, 1}, 8, 8, Activation::relu, true},
           Convolution{8, 8, 64, 128, {1, 2, 0, 0}, 4, 4},
           Convolution{9, 7, 5, 13, {3, 1, 1, 1}, 9, 7, Activation::silu, true, true},
           Convolution{9, 7, 5, 13, {3, 2, 1, 1}, 5, 4, Activation::none, false, true},
           Convolution{11, 6, 4, 3, {5, 2, 1, 1}, 6, 3},
           Convolution{6, 5, 19, 24, {1, 1, 0, 0}, 6, 5, Activation::relu6, false, true},
           Convolution{1, 1, 3, 7, {3, 1, 1, 1}, 1, 1},
           Convolution{1, 1, 16, 7, {3, 2, 1, 1}, 1, 1, Activation::relu, true},
           Convolution{2, 3, 1, 1, {5, 1, 2, 2}, 2, 3},
           Convolution{3, 3, 2, 5, {2, 1, 4, 4}, 12, 12},  // windows that miss the map
       }) {
    CAPTURE(p.height, p.width, p.channels, p.outputs, p.window.kernel, p.window.stride, p.strided);
    check_batch<TestType>(convolve(p), 3, gemm_bound<TestType>(p.window.kernel * p.window.kernel * p.channels));
  }
}
