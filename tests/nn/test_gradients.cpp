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

/// A layer with random parameters, and tokens (rows, channels) to run it on. `loss(x)` runs the forward pass and
/// returns Σ y·dy; `gradients(x, dx)` runs both passes, writes dx and adds to `gradient` and `d_positions`.
template <class Layer>
struct Fixture {
  using W = adtr::WeightsOf<Layer, B>;
  using X = typename W::In;
  using DX = typename W::InGradient;

  explicit Fixture(float rate = 0.0F) : dropout_(dropout(rate)) {}

  double loss(const X& x) {
    adtr::Arena<double> arena(room.data(), room.size());
    forward(x, arena);
    return differences::weighted_sum(y, dy);
  }
  void gradients(const X& x, const DX& dx) {
    adtr::Arena<double> arena(room.data(), room.size());
    const auto kept = forward(x, arena);
    const Index used = arena.used();
    weights.backward(pass(), x, kept, matrix(dy), adtr::bind_parameters<Layer>(gradient.data()), dx, arena);
    CHECK(arena.used() == used);  // a backward pass returns what it takes
  }
  static MatrixOut<B> matrix(std::vector<double>& v) {
    return {v.data(), static_cast<Index>(v.size()) / channels, channels};
  }

  std::vector<double> parameters = random_values(adtr::parameter_count<Layer>, 1);
  std::vector<double> gradient = std::vector<double>(parameters.size());
  std::vector<double> x = random_values(rows * channels, 2), m = random_values(rows * channels, 3),
                      positions = random_values(tokens * channels, 4), dy = random_values(rows * channels, 5);
  std::vector<double> d_positions = std::vector<double>(positions.size()), y = std::vector<double>(x.size());

 private:
  adtr::Pass<B> pass() { return {context, Mode::training, dropout_, tokens, matrix(positions), matrix(d_positions)}; }
  auto forward(const X& in, adtr::Arena<double>& arena) {
    weights.prepare({context, Mode::training}, adtr::bind_parameters<Layer>(parameters.data()));
    return weights.forward(pass(), in, matrix(y), arena);
  }

  adtr::Dropout dropout_;
  W weights;
  adtr::Buffer<double> room{rows * 800};
};

}  // namespace

TEMPLATE_TEST_CASE("Layers from tokens to tokens: gradients of all parameters, the input and the positions", "",
                   (adtr::Linear<channels, channels>), (adtr::LayerNorm<channels>), (adtr::FeedForward<channels, 12>),
                   (adtr::EncoderLayer<spec>), (adtr::MapConvolution<2, 3, channels>)) {
  Fixture<TestType> f(GENERATE(0.0F, 0.25F));
  const auto loss = [&] { return f.loss(f.matrix(f.x)); };
  std::vector<double> dx(f.x.size());
  f.gradients(f.matrix(f.x), f.matrix(dx));
  differences::check("parameters", f.parameters, f.gradient, loss);
  differences::check("input", f.x, dx, loss);
  if constexpr (std::is_same_v<TestType, adtr::EncoderLayer<spec>>)
    differences::check("positions", f.positions, f.d_positions, loss);
}

TEST_CASE("MultiHeadAttention: gradients of all parameters and of query, key and value") {
  Fixture<adtr::MultiHeadAttention<channels, 2>> f(GENERATE(0.0F, 0.25F));
  std::vector<double> v = random_values(rows * channels, 6), dq(f.x.size()), dk(f.x.size()), dv(f.x.size());
  const auto loss = [&] { return f.loss({f.matrix(f.x), f.matrix(f.m), f.matrix(v)}); };
  f.gradients({f.matrix(f.x), f.matrix(f.m), f.matrix(v)}, {f.matrix(dq), f.matrix(dk), f.matrix(dv)});
  differences::check("parameters", f.parameters, f.gradient, loss);
  differences::check("query", f.x, dq, loss);
  differences::check("key", f.m, dk, loss);
  differences::check("value", v, dv, loss);
}

TEST_CASE("DecoderLayer: gradients of all parameters, target, memory and positions") {
  Fixture<adtr::DecoderLayer<spec>> f(GENERATE(0.0F, 0.25F));
  std::vector<double> key(f.m.size()), dx(f.x.size()), dm(f.m.size());
  const auto in = [&]() -> decltype(f)::X {
    B::add_positions(context, f.matrix(f.m), f.matrix(f.positions), f.matrix(key));
    return {f.matrix(f.x), {f.matrix(f.m), f.matrix(key)}};
  };
  const auto loss = [&] { return f.loss(in()); };
  f.gradients(in(), {f.matrix(dx), f.matrix(dm)});
  differences::check("parameters", f.parameters, f.gradient, loss);
  differences::check("target", f.x, dx, loss);
  differences::check("memory", f.m, dm, loss);
  differences::check("positions", f.positions, f.d_positions, loss);
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
  const auto gradient = adtr::bind_parameters<Net>(g.data());
  auto f = random_values(rows * 11, 2);
  std::vector<double> y(f.size()), dy(f.size());
  const adtr::MatrixView<double> in(f.data(), rows, 11), out(y.data(), rows, 11), d_out(dy.data(), rows, 11);
  const adtr::Pass<B> pass{context, Mode::training, dropout(rate)};
  adtr::Buffer<double> room(adtr::measure_training<Net, B>(pass.dropout, in, out));
  adtr::WeightsOf<Net, B> weights;
  const auto forward = [&](adtr::Arena<double>& arena) {
    weights.prepare({context, Mode::training}, parameters);
    return weights.forward(pass, in, out, arena);
  };
  const auto loss = [&] {
    adtr::Arena<double> arena(room.data(), room.size());
    forward(arena);
    double sum = 0.0;
    B::norm_gradient(context, in, out, 2.0 / rows, d_out, &sum);
    return sum / rows;
  };
  loss();
  adtr::Arena<double> arena(room.data(), room.size());
  const auto kept = forward(arena);
  std::vector<double> df(f.size());
  weights.backward(pass, in, kept, d_out, gradient, {df.data(), rows, 11}, arena);
  CHECK(arena.peak() == room.size());                          // as measured
  for (std::size_t i = 0; i < df.size(); ++i) df[i] -= dy[i];  // f is the target as well
  differences::check("parameters", memory, g, loss);
  differences::check("input", f, df, loss);
}
