// Every trained layer's gradient against central differences, on the Reference backend in double.
#include "adtr/backend/reference.hpp"
#include "adtr/models/plain_reconstruction.hpp"
#include "adtr/models/reconstruction.hpp"
#include "nn/differences.hpp"

namespace {

using B = adtr::Reference<double>;
using adtr::Index;
using adtr::MatrixIn;
using adtr::MatrixOut;
using adtr::Mode;
using differences::random_values;

const B::Context context(1);
constexpr adtr::TransformerSpec spec{8, 2, 12, 2};
constexpr Index tokens = 6, batch = 2, rows = tokens * batch, channels = 8;

adtr::Dropout dropout(float rate) {
  adtr::Dropout d;
  d.rate = rate;
  d.seed = 3;
  d.step = 1;
  return d;
}

/// Runs `Layer` on inputs of (rows, channels) and checks the gradients of its parameters, its inputs and the positions.
/// `pass(weights, inputs, positions, y)` is the forward pass; `backward(...)` adds the gradients.
template <class Layer>
struct Fixture {
  std::vector<double> memory = random_values(adtr::parameter_count<Layer>, 1), gradient_memory;
  typename Layer::template Parameters<double> parameters = adtr::bind_parameters<Layer>(memory.data());
  typename Layer::template Weights<B> weights;
  std::vector<double> x = random_values(rows * channels, 2), m = random_values(rows * channels, 3),
                      positions = random_values(tokens * channels, 4), y = std::vector<double>(x.size()),
                      dy = random_values(rows * channels, 5);

  void prepare() { Layer::template prepare<B>(context, parameters, Mode::training, weights); }
  MatrixOut<B> matrix(std::vector<double>& v) { return {v.data(), static_cast<Index>(v.size()) / channels, channels}; }
};

}  // namespace

TEST_CASE("Linear: gradients of weight, bias and input") {
  Fixture<adtr::Linear<channels, channels>> f;
  using Layer = adtr::Linear<channels, channels>;
  const auto loss = [&] {
    f.prepare();
    Layer::forward<B>(context, f.weights, f.matrix(f.x), f.matrix(f.y));
    return differences::weighted_sum(f.y, f.dy);
  };
  loss();
  std::vector<double> g(f.memory.size()), dx(f.x.size());
  Layer::backward<B>(context, f.weights, f.matrix(f.x), f.matrix(f.dy), adtr::bind_parameters<Layer>(g.data()),
                     f.matrix(dx));
  differences::check("parameters", f.memory, g, loss);
  differences::check("input", f.x, dx, loss);
}

TEST_CASE("LayerNorm: gradients of weight, bias and input") {
  using Layer = adtr::LayerNorm<channels>;
  auto memory = random_values(adtr::parameter_count<Layer>, 1);
  auto x = random_values(rows * channels, 2);
  const auto dy = random_values(rows * channels, 3);
  std::vector<double> y(x.size()), statistics(2 * rows), g(memory.size()), dx(x.size());
  Layer::Weights<B> weights;
  const auto view = [](auto& v) { return adtr::MatrixView(v.data(), rows, channels); };
  const auto loss = [&] {
    Layer::prepare<B>(context, adtr::bind_parameters<Layer>(memory.data()), weights);
    Layer::forward<B>(context, weights, view(x), view(y), statistics.data());
    return differences::weighted_sum(y, dy);
  };
  loss();
  Layer::backward<B>(context, weights, view(x), statistics.data(), view(dy), adtr::bind_parameters<Layer>(g.data()),
                     view(dx));
  differences::check("parameters", memory, g, loss);
  differences::check("input", x, dx, loss);
}

TEST_CASE("MultiHeadAttention: gradients of all parameters and of query, key and value") {
  using Layer = adtr::MultiHeadAttention<channels, 2>;
  const float rate = GENERATE(0.0F, 0.25F);
  Fixture<Layer> f;
  std::vector<double> v = random_values(rows * channels, 6);
  adtr::Buffer<double> memory(rows * channels * 8);
  const auto loss = [&] {
    f.prepare();
    adtr::Arena<double> arena(memory.data(), memory.size());
    const Layer::Activations<double> a(arena, rows, Mode::training);
    Layer::forward<B>(context, f.weights, {f.matrix(f.x), f.matrix(f.m), f.matrix(v)}, tokens, dropout(rate), a, {},
                      f.matrix(f.y));
    return differences::weighted_sum(f.y, f.dy);
  };
  loss();
  adtr::Arena<double> arena(memory.data(), memory.size());
  const Layer::Activations<double> a(arena, rows, Mode::training);
  adtr::Buffer<double> scratch(rows * channels * 5);
  std::vector<double> g(f.memory.size()), dq(f.x.size()), dk(f.x.size()), dv(f.x.size());
  Layer::backward<B>(context, f.weights, {f.matrix(f.x), f.matrix(f.m), f.matrix(v)}, tokens, dropout(rate), a,
                     f.matrix(f.dy), adtr::bind_parameters<Layer>(g.data()), {f.matrix(dq), f.matrix(dk), f.matrix(dv)},
                     adtr::Arena<double>(scratch.data(), scratch.size()));
  differences::check("parameters", f.memory, g, loss);
  differences::check("query", f.x, dq, loss);
  differences::check("key", f.m, dk, loss);
  differences::check("value", v, dv, loss);
}

TEST_CASE("EncoderLayer: gradients of all parameters, the input and the positions") {
  using Layer = adtr::EncoderLayer<spec>;
  const float rate = GENERATE(0.0F, 0.25F);
  Fixture<Layer> f;
  adtr::Buffer<double> memory(rows * 400), scratch(adtr::backward_scratch<spec>(rows));
  const auto pass = [&] { return adtr::Pass<B>{context, tokens, f.matrix(f.positions), dropout(rate)}; };
  const auto activations = [&] {
    adtr::Arena<double> arena(memory.data(), memory.size());
    return Layer::Activations<double>(arena, rows, Mode::training);
  };
  const auto loss = [&] {
    f.prepare();
    Layer::forward<B>(pass(), f.weights, 0, activations(), f.matrix(f.x), f.matrix(f.y));
    return differences::weighted_sum(f.y, f.dy);
  };
  loss();
  std::vector<double> g(f.memory.size()), dx(f.x.size()), dp(f.positions.size());
  Layer::backward<B>(pass(), f.weights, 0, activations(), f.matrix(f.x), f.matrix(f.dy),
                     adtr::bind_parameters<Layer>(g.data()), f.matrix(dx), f.matrix(dp),
                     adtr::Arena<double>(scratch.data(), scratch.size()));
  differences::check("parameters", f.memory, g, loss);
  differences::check("input", f.x, dx, loss);
  differences::check("positions", f.positions, dp, loss);
}

TEST_CASE("DecoderLayer: gradients of all parameters, target, memory and positions") {
  using Layer = adtr::DecoderLayer<spec>;
  const float rate = GENERATE(0.0F, 0.25F);
  Fixture<Layer> f;
  adtr::Buffer<double> memory(rows * 400), scratch(adtr::backward_scratch<spec>(rows));
  std::vector<double> key(f.m.size());
  const auto pass = [&] { return adtr::Pass<B>{context, tokens, f.matrix(f.positions), dropout(rate)}; };
  const auto activations = [&] {
    adtr::Arena<double> arena(memory.data(), memory.size());
    return Layer::Activations<double>(arena, rows, Mode::training);
  };
  const auto encoded = [&]() -> Layer::Memory<double> {
    B::add_positions(context, f.matrix(f.m), f.matrix(f.positions), f.matrix(key));
    return {f.matrix(f.m), f.matrix(key)};
  };
  const auto loss = [&] {
    f.prepare();
    Layer::forward<B>(pass(), f.weights, 0, activations(), f.matrix(f.x), encoded(), f.matrix(f.y));
    return differences::weighted_sum(f.y, f.dy);
  };
  loss();
  std::vector<double> g(f.memory.size()), dx(f.x.size()), dm(f.m.size()), dp(f.positions.size());
  Layer::backward<B>(pass(), f.weights, 0, activations(), f.matrix(f.x), encoded(), f.matrix(f.dy),
                     adtr::bind_parameters<Layer>(g.data()), f.matrix(dx), f.matrix(dm), f.matrix(dp),
                     adtr::Arena<double>(scratch.data(), scratch.size()));
  differences::check("parameters", f.memory, g, loss);
  differences::check("target", f.x, dx, loss);
  differences::check("memory", f.m, dm, loss);
  differences::check("positions", f.positions, dp, loss);
}

namespace {
constexpr adtr::TransformerSpec variant(adtr::Mixing mixing, bool query) {
  adtr::TransformerSpec s = spec;
  s.mixing = mixing;
  s.query = query;
  return s;
}
}  // namespace

TEMPLATE_TEST_CASE("networks: gradients of L_norm with respect to every parameter", "",
                   (adtr::Reconstruction<tokens, 11, spec>),
                   (adtr::Reconstruction<tokens, 11, variant(adtr::Mixing::attention, false)>),
                   (adtr::PlainReconstruction<2, 3, 11, variant(adtr::Mixing::convolution, true)>),
                   (adtr::PlainReconstruction<2, 3, 11, variant(adtr::Mixing::none, true)>)) {
  using Net = TestType;
  const float rate = GENERATE(0.0F, 0.25F);
  auto memory = random_values(adtr::parameter_count<Net>, 1);
  std::vector<double> g(memory.size());
  auto parameters = adtr::bind_parameters<Net>(memory.data());
  auto gradient = adtr::bind_parameters<Net>(g.data());
  auto f = random_values(rows * 11, 2);
  std::vector<double> y(f.size()), dy(f.size());
  const adtr::MatrixView<double> in(f.data(), rows, 11), out(y.data(), rows, 11), d_out(dy.data(), rows, 11);
  adtr::Buffer<double> activation_memory(Net::activation_elements(batch, Mode::training)),
      scratch(Net::gradient_scratch(batch));
  typename Net::template Weights<B> weights;
  const auto loss = [&] {
    Net::template prepare<B>(context, parameters, Mode::training, weights);
    adtr::Arena<double> arena(activation_memory.data(), activation_memory.size());
    const typename Net::template Activations<double> a(arena, rows, Mode::training);
    Net::template forward<B>(context, weights, dropout(rate), a, in, out);
    double sum = 0.0;
    B::norm_gradient(context, in, out, 2.0 / rows, d_out, &sum);
    return sum / rows;
  };
  loss();
  adtr::Arena<double> arena(activation_memory.data(), activation_memory.size());
  const typename Net::template Activations<double> a(arena, rows, Mode::training);
  Net::template backward<B>(context, weights, dropout(rate), a, in, d_out, gradient,
                            adtr::Arena<double>(scratch.data(), scratch.size()));
  differences::check("parameters", memory, g, loss);
}
