/// The oracle itself: the gradients of Reference<double> against central differences.
#include <functional>

#include "backend/numbers.hpp"
#include "support/catch.hpp"

using namespace suite;

namespace {

using Doubles = std::vector<double>;
const adtr::reference::Context here;

double dot(const Doubles& a, const Doubles& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The gradient of f with respect to x, element by element, exact to about 1e-9.
Doubles central_differences(Doubles& x, const std::function<double()>& f) {
  constexpr double h = 1e-4;
  Doubles gradient;
  for (double& element : x) {
    const double at = element;
    const auto move = [&](double by) {
      element = at + by;
      return f();
    };
    // Fourth order: the error is h⁴/30 of the fifth derivative.
    gradient.push_back((8.0 * (move(h) - move(-h)) - (move(2.0 * h) - move(-2.0 * h))) / (12.0 * h));
    element = at;
  }
  return gradient;
}

}  // namespace

TEST_CASE("attention_backward is the gradient of attention", "[backend]") {
  constexpr Index batch = 2, tokens = 5, heads = 2, columns = 6;
  for (const float rate : {0.0F, 0.3F}) {
    Doubles query = numbers<double>(batch * tokens * columns, 1, 2.0F),
            key = numbers<double>(batch * tokens * columns, 2), value = numbers<double>(batch * tokens * columns, 3),
            out(query.size());
    const Doubles dout = numbers<double>(batch * tokens * columns, 4);
    const auto in = [](const Doubles& m) { return adtr::MatrixView<const double>(m.data(), batch * tokens, columns); };
    const auto to = [](Doubles& m) { return adtr::MatrixView<double>(m.data(), batch * tokens, columns); };
    const adtr::Attention<double> attention{batch,     tokens,  heads,   in(query),      in(key),
                                            in(value), to(out), nullptr, {rate, 5, 6, 7}};
    const auto loss = [&] {
      Oracle::attention(here, attention);
      return dot(out, dout);
    };
    Doubles dquery(query.size()), dkey(query.size()), dvalue(query.size());
    Oracle::attention_backward(here, attention, {in(dout), to(dquery), to(dkey), to(dvalue)});
    CHECK(error(dquery, central_differences(query, loss)) < 1e-7);
    CHECK(error(dkey, central_differences(key, loss)) < 1e-7);
    CHECK(error(dvalue, central_differences(value, loss)) < 1e-7);
  }
}

TEST_CASE("layer_norm_backward is the gradient of layer_norm", "[backend]") {
  constexpr Index rows = 3, columns = 7;
  Doubles x = numbers<double>(rows * columns, 1, 3.0F), gamma = numbers<double>(columns, 2),
          beta = numbers<double>(columns, 3), y(x.size()), statistics(2 * rows);
  const Doubles dy = numbers<double>(rows * columns, 4);
  const adtr::MatrixView<const double> in(x.data(), rows, columns);
  const auto loss = [&] {
    Oracle::layer_norm(here, in, gamma.data(), beta.data(), 1e-5, {y.data(), rows, columns}, statistics.data());
    return dot(y, dy);
  };
  static_cast<void>(loss());
  Doubles dx(x.size()), dgamma(columns), dbeta(columns);
  Oracle::layer_norm_backward(here, in, gamma.data(), statistics.data(), {dy.data(), rows, columns},
                              {dx.data(), rows, columns}, dgamma.data(), dbeta.data());
  CHECK(error(dx, central_differences(x, loss)) < 1e-7);
  CHECK(error(dgamma, central_differences(gamma, loss)) < 1e-7);
  CHECK(error(dbeta, central_differences(beta, loss)) < 1e-7);
}

TEST_CASE("cosine_distance is 1 minus the cosine of the angle", "[backend]") {
  constexpr Index rows = 5, columns = 9;
  const Doubles f = numbers<double>(rows * columns, 1, 3.0F), g = numbers<double>(rows * columns, 2, 0.1F);
  Doubles s(rows), expected;
  Oracle::cosine_distance(here, {f.data(), rows, columns}, {g.data(), rows, columns}, s.data());
  for (Index r = 0; r < rows; ++r) {
    const auto row = [r](const Doubles& m) { return Doubles(m.begin() + r * columns, m.begin() + (r + 1) * columns); };
    expected.push_back(1.0 - dot(row(f), row(g)) / std::sqrt(dot(row(f), row(f)) * dot(row(g), row(g))));
  }
  CHECK(error(s, expected) < 1e-14);
}

TEST_CASE("nearest is the smallest distance", "[backend]") {
  constexpr Index rows = 4, columns = 6, tokens = 11;
  const Doubles x = numbers<double>(rows * columns, 1), b = numbers<double>(tokens * columns, 2);
  Oracle::TokenBank bank;
  Oracle::pack_tokens(here, {b.data(), tokens, columns}, bank);
  Doubles s(rows), expected;
  Oracle::nearest(here, {x.data(), rows, columns}, bank, s.data());
  const auto row = [](const Doubles& m, Index r) {
    return Doubles(m.begin() + r * columns, m.begin() + (r + 1) * columns);
  };
  for (Index r = 0; r < rows; ++r) {
    double smallest = 1e9;
    for (Index n = 0; n < tokens; ++n)
      smallest =
          std::min(smallest, dot(row(x, r), row(x, r)) - 2.0 * dot(row(x, r), row(b, n)) + dot(row(b, n), row(b, n)));
    expected.push_back(std::sqrt(smallest));
  }
  CHECK(error(s, expected) < 1e-14);
}

TEST_CASE("norm_gradient is the gradient of half the squared difference", "[backend]") {
  constexpr Index rows = 4, columns = 5;
  Doubles f = numbers<double>(rows * columns, 1), g = numbers<double>(rows * columns, 2), dg(f.size()), s(rows);
  const adtr::MatrixView<const double> fs(f.data(), rows, columns), gs(g.data(), rows, columns);
  const auto loss = [&] {
    Oracle::difference_norm(here, fs, gs, s.data());
    return 0.5 * 0.25 * dot(s, s);
  };
  double sum = 0.0;
  Oracle::norm_gradient(here, fs, gs, 0.25, {dg.data(), rows, columns}, &sum);
  CHECK(error(dg, central_differences(g, loss)) < 1e-7);
  CHECK(sum == Approx(loss() / 0.125).epsilon(1e-12));
}

TEST_CASE("the gradients of a linear layer with bias and ReLU", "[backend]") {
  constexpr Index rows = 4, inputs = 3, outputs = 5;
  Doubles x = numbers<double>(rows * inputs, 1), w = numbers<double>(outputs * inputs, 2),
          bias = numbers<double>(outputs, 3), y(rows * outputs);
  const Doubles dy = numbers<double>(rows * outputs, 4);
  const adtr::MatrixView<const double> xs(x.data(), rows, inputs), ws(w.data(), outputs, inputs);
  Oracle::Packed packed;
  const auto loss = [&] {
    Oracle::pack(here, ws, packed);
    Oracle::multiply(here, xs, packed, {bias.data(), {}, adtr::Activation::relu}, {y.data(), rows, outputs});
    return dot(y, dy);
  };
  static_cast<void>(loss());
  Doubles d = dy, dx(x.size()), dw(w.size()), dbias(bias.size());
  Oracle::relu_backward(here, {y.data(), rows, outputs}, 1.0, {d.data(), rows, outputs});
  const adtr::MatrixView<const double> ds(d.data(), rows, outputs);
  Oracle::accumulate_weight_gradient(here, ds, xs, {dw.data(), outputs, inputs});
  Oracle::accumulate_column_sums(here, ds, dbias.data());
  Oracle::pack_transposed(here, ws, packed);
  Oracle::multiply(here, ds, packed, {}, {dx.data(), rows, inputs});
  CHECK(error(dx, central_differences(x, loss)) < 1e-7);
  CHECK(error(dw, central_differences(w, loss)) < 1e-7);
  CHECK(error(dbias, central_differences(bias, loss)) < 1e-7);
}
