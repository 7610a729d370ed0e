/// Single operations of each backend against PyTorch's in float64 (operations.py names and describes the cases).
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/nn/attention.hpp"
#include "adtr/nn/linear.hpp"
#include "adtr/nn/padding.hpp"
#include "adtr/train/loss.hpp"
#include "golden/backends.hpp"
#include "golden/golden.hpp"
#include "support/catch.hpp"

namespace {

using adtr::Activation;
using adtr::Index;
using adtr::Padding;

const golden::Golden& expected() {
  static const golden::Golden file("operations");
  return file;
}

/// The operands of one case, by the formula.
template <class T>
struct Case {
  std::string name;

  [[nodiscard]] std::vector<T> values(const std::string& operand, Index n, double scale = 2.0) const {
    return formula::uniform<T>(name + '.' + operand, static_cast<std::size_t>(n), scale);
  }
  [[nodiscard]] std::vector<T> upper_gradient(Index n) const { return values("dy", n, 1.0); }
  template <class... Sizes>
  [[nodiscard]] std::vector<T> parameter(const std::string& operand, Sizes... sizes) const {
    const std::vector<std::size_t> shape{static_cast<std::size_t>(sizes)...};
    return formula::parameter<T>(name + '.' + operand, shape);
  }
  void check(const std::string& result, const std::vector<T>& actual, double tolerance = golden::tolerance<T>) const {
    INFO(name << '.' << result);
    CHECK(expected().template error<T>(name + '.' + result, actual) < tolerance);
  }
};

template <class T>
std::vector<T> zeros(Index n) {
  return std::vector<T>(static_cast<std::size_t>(n));
}

/// PyTorch's (out, in, ky, kx) as (out, ky, kx, in); a depthwise (C, 1, ky, kx) as (ky, kx, C).
template <class T>
std::vector<T> channels_last(const std::vector<T>& w, Index out, Index in, Index area, bool depthwise) {
  std::vector<T> result(w.size());
  for (Index o = 0; o < out; ++o)
    for (Index i = 0; i < in; ++i)
      for (Index a = 0; a < area; ++a)
        result[static_cast<std::size_t>(depthwise ? a * out + o : (o * area + a) * in + i)] =
            w[static_cast<std::size_t>((o * in + i) * area + a)];
  return result;
}

struct ConvolutionCase {
  const char* name;
  Index height, width, inputs, outputs, kernel, stride;
  Padding padding = Padding::symmetric;
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("Depthwise convolutions equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const Index kernel : {3, 5})
    for (const auto& [height, width] : {std::pair<Index, Index>{12, 10}, {9, 7}})
      for (const auto& [kind, stride, padding] : {std::tuple{"_s1_", Index{1}, Padding::symmetric},
                                                  {"_s2_", Index{2}, Padding::symmetric},
                                                  {"_s2_same_", Index{2}, Padding::same}}) {
        const Case<T> c{"depthwise" + std::to_string(kernel) + kind + std::to_string(height) + 'x' +
                        std::to_string(width)};
        const auto x = c.values("x", height * width * 20);
        const auto w = channels_last(c.parameter("weight", 20, 1, kernel, kernel), 20, 1, kernel * kernel, true);
        const auto bias = c.parameter("bias", 20);
        const Index rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
        auto y = zeros<T>(rows * columns * 20);
        TestType::depthwise(context, {x.data(), 1, height, width, 20},
                            adtr::window(height, width, kernel, stride, padding), w.data(), bias.data(),
                            Activation::none, {y.data(), 1, rows, columns, 20});
        c.check("y", y);
      }
}

TEMPLATE_LIST_TEST_CASE("Dense convolutions equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const ConvolutionCase& k :
       {ConvolutionCase{"conv7_s2", 19, 16, 3, 16, 7, 2}, ConvolutionCase{"conv3_s2", 14, 11, 3, 16, 3, 2},
        ConvolutionCase{"conv3_s2_same", 14, 11, 3, 16, 3, 2, Padding::same},
        ConvolutionCase{"conv3_s1", 6, 5, 8, 12, 3, 1}, ConvolutionCase{"conv1_s2", 7, 6, 8, 12, 1, 2},
        ConvolutionCase{"conv1_s1", 7, 6, 19, 37, 1, 1}}) {
    const Case<T> c{k.name};
    const Index area = k.kernel * k.kernel;
    const auto x = c.values("x", k.height * k.width * k.inputs);
    const auto w =
        channels_last(c.parameter("weight", k.outputs, k.inputs, k.kernel, k.kernel), k.outputs, k.inputs, area, false);
    const auto bias = c.parameter("bias", k.outputs);
    typename TestType::Packed packed;
    TestType::pack(context, {w.data(), k.outputs, area * k.inputs}, packed);
    const Index rows = (k.height + k.stride - 1) / k.stride, columns = (k.width + k.stride - 1) / k.stride;
    auto y = zeros<T>(rows * columns * k.outputs);
    TestType::convolve(context, {x.data(), 1, k.height, k.width, k.inputs},
                       adtr::window(k.height, k.width, k.kernel, k.stride, k.padding), packed,
                       {bias.data(), {}, Activation::none}, {y.data(), 1, rows, columns, k.outputs});
    c.check("y", y);
  }
}

TEMPLATE_LIST_TEST_CASE("Squeeze-and-excitation and max pooling equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  const Case<T> se{"squeeze_excite"};
  auto x = se.values("x", 6 * 7 * 24);
  const auto w1 = se.parameter("reduce.weight", 5, 24), b1 = se.parameter("reduce.bias", 5);
  const auto w2 = se.parameter("expand.weight", 24, 5), b2 = se.parameter("expand.bias", 24);
  auto scratch = zeros<T>(2 * 24 + 5);
  TestType::squeeze_excite(context, {x.data(), 1, 6, 7, 24},
                           {5, w1.data(), b1.data(), w2.data(), b2.data(), Activation::silu}, scratch.data());
  se.check("y", x);

  const Case<T> pool{"max_pool"};
  const auto in = pool.values("x", 11 * 8 * 9);
  auto y = zeros<T>(6 * 4 * 9);
  TestType::max_pool(context, {in.data(), 1, 11, 8, 9}, {3, 2, 1, 1}, {y.data(), 1, 6, 4, 9});
  pool.check("y", y);
}

TEMPLATE_LIST_TEST_CASE("Bilinear resizing with aligned corners equals PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const auto& [name, height, width, rows, columns] :
       {std::tuple<const char*, Index, Index, Index, Index>{"resize_5x3_16", 5, 3, 16, 16},
        {"resize_16x12_8", 16, 12, 8, 8},
        {"resize_1x1_8", 1, 1, 8, 8},
        {"resize_8x8_8", 8, 8, 8, 8},
        {"resize_7x6_1", 7, 6, 1, 1},
        {"resize_24x25_copy", 24, 25, 24, 25}}) {
    const Case<T> c{name};
    const auto x = c.values("x", height * width * 11);
    auto y = zeros<T>(rows * columns * 11);
    TestType::resize(context, {x.data(), 1, height, width, 11}, {y.data(), 1, rows, columns, 11});
    c.check("y", y);
  }
}

TEMPLATE_LIST_TEST_CASE("Area resizing equals PyTorch's adaptive pooling", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const auto& [name, height, width, side] :
       {std::tuple<const char*, Index, Index, Index>{"resize_area_16x12_4", 16, 12, 4},
        {"resize_area_8x8_8", 8, 8, 8},
        {"resize_area_8x4_16", 8, 4, 16},
        {"resize_area_5x3_16", 5, 3, 16},
        {"resize_area_13x10_6", 13, 10, 6},
        {"resize_area_7x6_1", 7, 6, 1}}) {
    const Case<T> c{name};
    const auto x = c.values("x", height * width * 11);
    auto y = zeros<T>(side * side * 11);
    TestType::resize_area(context, {x.data(), 1, height, width, 11}, {y.data(), 1, side, side, 11});
    c.check("y", y, golden::exact_tolerance<T>);
  }
}

TEMPLATE_LIST_TEST_CASE("Activations equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  const T one = 1;
  typename TestType::Packed identity;
  TestType::pack(context, {&one, 1, 1}, identity);
  for (const auto& [name, activation] :
       {std::pair{"silu", Activation::silu}, {"relu", Activation::relu}, {"relu6", Activation::relu6}}) {
    const Case<T> c{name};
    auto x = c.values("x", 100);
    for (T& v : x) v *= 5;
    auto y = zeros<T>(100);
    TestType::multiply(context, {x.data(), 100, 1}, identity, {nullptr, {}, activation}, {y.data(), 100, 1});
    c.check("y", y);
  }
}

TEMPLATE_LIST_TEST_CASE("A linear layer and its gradients equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  using Layer = adtr::Linear<23, 37>;
  const typename TestType::Context context(1);
  const Case<T> c{"linear"};
  const auto x = c.values("x", 10 * 23), dy = c.upper_gradient(10 * 37);
  auto weight = c.parameter("weight", 37, 23), bias = c.parameter("bias", 37);
  auto y = zeros<T>(10 * 37), dx = zeros<T>(10 * 23), dweight = zeros<T>(37 * 23), dbias = zeros<T>(37);
  adtr::WeightsOf<Layer, TestType> w;
  w.prepare({context, adtr::Mode::training}, {weight.data(), bias.data()});
  adtr::Arena<T> none;
  w.forward({context}, {x.data(), 10, 23}, {y.data(), 10, 37}, none);
  c.check("y", y);
  w.backward({context}, {x.data(), 10, 23}, {}, {dy.data(), 10, 37}, {dweight.data(), dbias.data()},
             {dx.data(), 10, 23}, none);
  c.check("dx", dx);
  c.check("dweight", dweight);
  c.check("dbias", dbias);
}

TEMPLATE_LIST_TEST_CASE("Layer normalisation and its gradients equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const auto& [name, rows, width] :
       {std::tuple<const char*, Index, Index>{"layer_norm", 10, 36}, {"layer_norm_256", 5, 256}}) {
    const Case<T> c{name};
    const auto x = c.values("x", rows * width), dy = c.upper_gradient(rows * width);
    const auto gamma = c.parameter("weight", width), beta = c.parameter("bias", width);
    auto y = zeros<T>(rows * width), dx = zeros<T>(rows * width), statistics = zeros<T>(rows * 2);
    auto dgamma = zeros<T>(width), dbeta = zeros<T>(width);
    TestType::layer_norm(context, {x.data(), rows, width}, gamma.data(), beta.data(), static_cast<T>(1e-5),
                         {y.data(), rows, width}, statistics.data());
    c.check("y", y);
    TestType::layer_norm_backward(context, {x.data(), rows, width}, gamma.data(), statistics.data(),
                                  {dy.data(), rows, width}, {dx.data(), rows, width}, dgamma.data(), dbeta.data());
    c.check("dx", dx);
    c.check("dweight", dgamma);
    c.check("dbias", dbeta);
  }
}

TEMPLATE_LIST_TEST_CASE("Attention and its gradients equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const auto& [name, batch, tokens, heads, width, scale] :
       {std::tuple<const char*, Index, Index, Index, Index, T>{"attention", 2, 9, 4, 32, T(1)},
        {"attention_256", 1, 7, 8, 256, T(1)},
        {"attention_far", 1, 6, 2, 16, T(60)}}) {
    const Case<T> c{name};
    const Index rows = batch * tokens, n = rows * width;
    auto q = c.values("q", n);
    const auto k = c.values("k", n), v = c.values("v", n), dy = c.upper_gradient(n);
    for (T& value : q) value *= scale;
    auto y = zeros<T>(n), log_sum_exp = zeros<T>(rows * heads), dq = zeros<T>(n), dk = zeros<T>(n), dv = zeros<T>(n);
    const adtr::Attention<T> attention{batch,
                                       tokens,
                                       heads,
                                       {q.data(), rows, width},
                                       {k.data(), rows, width},
                                       {v.data(), rows, width},
                                       {y.data(), rows, width},
                                       log_sum_exp.data(),
                                       {}};
    TestType::attention(context, attention);
    c.check("y", y);
    TestType::attention_backward(
        context, attention,
        {{dy.data(), rows, width}, {dq.data(), rows, width}, {dk.data(), rows, width}, {dv.data(), rows, width}});
    for (T& value : dq) value *= scale;
    c.check("dq", dq);
    c.check("dk", dk);
    c.check("dv", dv);
  }
}

TEMPLATE_LIST_TEST_CASE("Multi-head attention and its gradients equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  using Layer = adtr::MultiHeadAttention<32, 4>;
  const typename TestType::Context context(1);
  const Case<T> c{"multi_head_attention"};
  const Index rows = 2 * 9, n = rows * 32;
  const auto q = c.values("q", n), k = c.values("k", n), v = c.values("v", n), dy = c.upper_gradient(n);
  auto in_weight = c.parameter("in_proj_weight", 96, 32), in_bias = c.parameter("in_proj_bias", 96);
  auto out_weight = c.parameter("out_proj.weight", 32, 32), out_bias = c.parameter("out_proj.bias", 32);
  adtr::WeightsOf<Layer, TestType> w;
  w.prepare({context, adtr::Mode::training}, {in_weight.data(), in_bias.data(), {out_weight.data(), out_bias.data()}});

  const adtr::Pass<TestType> pass{context, adtr::Mode::training, {}, 9};
  adtr::Buffer<T> room(20 * n);
  adtr::Arena<T> arena(room.data(), room.size());
  auto y = zeros<T>(n);
  const typename decltype(w)::In in{{q.data(), rows, 32}, {k.data(), rows, 32}, {v.data(), rows, 32}};
  const auto kept = w.forward(pass, in, {y.data(), rows, 32}, arena);
  c.check("y", y);

  auto dq = zeros<T>(n), dk = zeros<T>(n), dv = zeros<T>(n);
  auto din_weight = zeros<T>(96 * 32), din_bias = zeros<T>(96), dout_weight = zeros<T>(32 * 32);
  auto dout_bias = zeros<T>(32);
  w.backward(pass, in, kept, {dy.data(), rows, 32},
             {din_weight.data(), din_bias.data(), {dout_weight.data(), dout_bias.data()}},
             {{dq.data(), rows, 32}, {dk.data(), rows, 32}, {dv.data(), rows, 32}}, arena);
  c.check("dq", dq);
  c.check("dk", dk);
  c.check("dv", dv);
  c.check("din_proj_weight", din_weight);
  c.check("din_proj_bias", din_bias);
  c.check("dout_proj.weight", dout_weight);
  c.check("dout_proj.bias", dout_bias);
}

TEMPLATE_LIST_TEST_CASE("L_norm and its gradient equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  const Case<T> c{"l_norm"};
  const auto f = c.values("x", 18 * 14), r = c.values("r", 18 * 14);
  auto gradient = zeros<T>(18 * 14);
  double sum = 0.0;
  TestType::norm_gradient(context, {f.data(), 18, 14}, {r.data(), 18, 14}, static_cast<T>(2.0 / 18),
                          {gradient.data(), 18, 14}, &sum);
  c.check("y", {static_cast<T>(sum / 18)});
  c.check("dr", gradient);
}

TEMPLATE_LIST_TEST_CASE("L_px and L_img and their gradients equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  constexpr Index tokens = 9, channels = 14;
  constexpr double alpha = 0.003;
  const auto check = [&](const Case<T>& c, const adtr::AnomalyLoss& loss, const std::vector<T>& f,
                         const std::vector<T>& r, const std::vector<T>& anomalous) {
    const auto rows = static_cast<Index>(anomalous.size());
    auto gradient = zeros<T>(rows * channels), means = zeros<T>(rows), weights = zeros<T>(rows);
    const auto images = [&](auto* data) { return adtr::MatrixView(data, rows / tokens, tokens); };
    double sum = 0.0;
    adtr::anomaly_loss<TestType>(context, loss, {f.data(), rows, channels}, {r.data(), rows, channels},
                                 images(anomalous.data()), images(means.data()), images(weights.data()),
                                 {gradient.data(), rows, channels}, &sum);
    c.check("y", {static_cast<T>(sum)});
    c.check("dr", gradient);
  };
  SECTION("L_px") {
    const Case<T> c{"pixel_loss"};
    constexpr Index rows = 3 * tokens;
    const auto f = c.values("x", rows * channels), r = c.values("r", rows * channels), mask = c.values("mask", tokens);
    std::vector<T> anomalous(rows, T{1});
    for (std::size_t u = 0; u < tokens; ++u) {
      anomalous[u] = mask[u] > T{0} ? T{1} : T{0};
      anomalous[tokens + u] = T{0};
    }
    check(c, {false, 1, alpha}, f, r, anomalous);
  }
  for (const auto& [name, top] :
       {std::pair<const char*, Index>{"image_loss", 4}, {"image_loss_all", 9}, {"image_loss_all", 20}}) {
    const Case<T> c{name};
    constexpr Index rows = 2 * tokens;
    const auto f = c.values("x", rows * channels), r = c.values("r", rows * channels);
    std::vector<T> anomalous(rows, T{0});
    anomalous.back() = T{1};
    check(c, {true, top, alpha}, f, r, anomalous);
  }
}

TEMPLATE_LIST_TEST_CASE("Three steps of AdamW equal PyTorch's", "[golden]", golden::Backends) {
  using T = typename TestType::Scalar;
  const typename TestType::Context context(1);
  for (const auto& [name, learning_rate, weight_decay] :
       {std::tuple{"adamw", 1e-3, 1e-4}, {"adamw_decay", 4e-3, 1e-1}}) {
    const Case<T> c{name};
    auto p = c.parameter("weight", 8, 16), m = zeros<T>(128), v = zeros<T>(128);
    for (Index step = 0; step < 3; ++step) {
      const auto g = c.values("dy" + std::to_string(step), 128, 1.0);
      adtr::AdamW rule;
      rule.learning_rate = learning_rate;
      rule.weight_decay = weight_decay;
      rule.step = step + 1;
      TestType::adamw(context, rule, 128, p.data(), g.data(), m.data(), v.data());
    }
    c.check("y", p);
  }
}
