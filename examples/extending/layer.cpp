// A layer of your own: an adapter (Houlsby et al., ICML 2019), y = x + relu(x·W₁ᵀ + b₁)·W₂ᵀ + b₂, with its gradient.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/core/random.hpp"
#include "adtr/nn/linear.hpp"

using adtr::Index;

template <Index Channels, Index Hidden>
struct Adapter {
  using Down = adtr::Linear<Channels, Hidden>;
  using Up = adtr::Linear<Hidden, Channels>;

  // The one list of parameters, with the names that they have in files.
  template <class T>
  struct Parameters {
    adtr::ParametersOf<Down, T> down;
    adtr::ParametersOf<Up, T> up;
    template <class V>
    static constexpr void each(Parameters& self, V& visit) {
      visit("down", self.down);
      visit("up", self.up);
    }
  };

  // The parameters as backend B wants them, and what is computed with them.
  template <adtr::Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = adtr::MatrixIn<B>;
    using Out = adtr::MatrixOut<B>;
    using InGradient = adtr::MatrixOut<B>;
    struct Kept {  // what the backward pass needs of the forward pass
      adtr::MatrixOut<B> hidden;
    };
    adtr::WeightsOf<Down, B> down;
    adtr::WeightsOf<Up, B> up;

    void prepare(const adtr::Preparation<B>& how, const Parameters<T>& p) {
      down.prepare(how, p.down);
      up.prepare(how, p.up);
    }

    Kept forward(const adtr::Pass<B>& pass, In x, Out y, adtr::Arena<T>& arena) const {
      const auto scope = pass.activations(arena);  // in inference, `hidden` is released at the end
      const auto hidden = adtr::take_rows(arena, x.rows, Hidden);
      down.forward(pass, x, hidden, arena, {}, adtr::Activation::relu);
      up.forward(pass, hidden, y, arena, x);  // + x
      return {hidden};
    }

    void backward(const adtr::Pass<B>& pass, In x, const Kept& kept, adtr::MatrixIn<B> dy,
                  const Parameters<T>& gradient, InGradient dx, adtr::Arena<T>& arena) const {
      const adtr::ArenaScope<T> scope(arena);
      const auto d_hidden = adtr::take_rows(arena, x.rows, Hidden);
      up.backward(pass, kept.hidden, {}, dy, gradient.up, d_hidden, arena);
      B::relu_backward(pass.context, kept.hidden, T{1}, d_hidden);
      down.backward(pass, x, {}, d_hidden, gradient.down, dx, arena, dy);  // + dy
    }
  };
};
static_assert(adtr::TrainableLayer<Adapter<8, 4>>, "Adapter lacks something that every trained layer has");

namespace {

using Layer = Adapter<24, 8>;
constexpr Index rows = 10, channels = 24;

std::vector<double> random_values(Index count, std::uint64_t stream) {
  adtr::RandomStream random(1, stream);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& v : values) v = random.normal();
  return values;
}

template <class T>
adtr::MatrixView<T> matrix(std::vector<T>& values) {
  return {values.data(), rows, channels};
}

/// y on backend B, in inference.
template <adtr::Backend B>
std::vector<double> output(const std::vector<double>& parameters, const std::vector<double>& input) {
  using T = typename B::Scalar;
  std::vector<T> p(parameters.begin(), parameters.end()), x(input.begin(), input.end()), y(x.size());
  const typename B::Context context(1);
  adtr::WeightsOf<Layer, B> weights;
  weights.prepare({context}, adtr::bind_parameters<Layer>(p.data()));
  adtr::Buffer<T> memory(adtr::measure_forward<Layer, B>(adtr::Mode::inference, matrix(x), matrix(y)));
  adtr::Arena<T> arena(memory.data(), memory.size());
  weights.forward({context}, matrix(x), matrix(y), arena);
  return {y.begin(), y.end()};
}

/// The gradient of Σ y·dy with respect to x and then the parameters, on backend B.
template <adtr::Backend B>
std::vector<double> gradients(const std::vector<double>& parameters_in, const std::vector<double>& x_in,
                              const std::vector<double>& dy_in) {
  using T = typename B::Scalar;
  std::vector<T> parameters(parameters_in.begin(), parameters_in.end()), x(x_in.begin(), x_in.end()),
      dy(dy_in.begin(), dy_in.end()), gradient(parameters.size());
  const typename B::Context context(1);
  adtr::WeightsOf<Layer, B> weights;
  weights.prepare({context, adtr::Mode::training}, adtr::bind_parameters<Layer>(parameters.data()));
  std::vector<T> y(x.size()), dx(x.size());
  adtr::Buffer<T> memory(adtr::measure_training<Layer, B>({}, matrix(x), matrix(y)));
  adtr::Arena<T> arena(memory.data(), memory.size());
  const adtr::Pass<B> pass{context, adtr::Mode::training};
  const auto kept = weights.forward(pass, matrix(x), matrix(y), arena);
  weights.backward(pass, matrix(x), kept, matrix(dy), adtr::bind_parameters<Layer>(gradient.data()), matrix(dx), arena);
  std::vector<double> all(dx.begin(), dx.end());
  all.insert(all.end(), gradient.begin(), gradient.end());
  return all;
}

/// The largest difference; infinite if a value is not a number, which would pass every comparison.
double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = std::isfinite(difference) ? std::max(largest, difference) : std::numeric_limits<double>::infinity();
    if (!std::isfinite(largest)) break;
  }
  return largest;
}

}  // namespace

int main() {
  auto parameters = random_values(adtr::parameter_count<Layer>, 1), x = random_values(rows * channels, 2),
       dy = random_values(rows * channels, 3);
  const auto expected = gradients<adtr::Reference<double>>(parameters, x, dy);

  // Central differences of Σ y·dy, over all values of x and then of the parameters.
  std::vector<double> differences;
  for (std::vector<double>* of : {&x, &parameters})
    for (double& value : *of) {
      const auto loss_at = [&, kept = value](double there) {
        value = there;
        const auto y = output<adtr::Reference<double>>(parameters, x);
        value = kept;
        return std::inner_product(y.begin(), y.end(), dy.begin(), 0.0);
      };
      constexpr double h = 1e-6;
      differences.push_back((loss_at(value + h) - loss_at(value - h)) / (2.0 * h));
    }
  const double proof = largest_difference(expected, differences);
  const double forward =
      largest_difference(output<adtr::Cpu>(parameters, x), output<adtr::Reference<double>>(parameters, x));
  const double backward = largest_difference(gradients<adtr::Cpu>(parameters, x, dy), expected);

  std::printf("gradients differ from central differences by at most %.0e\n", proof);
  std::printf("Cpu differs from Reference<double> by at most %.0e (forward) and %.0e (backward)\n", forward, backward);
  return proof < 1e-6 && forward < 1e-4 && backward < 1e-4 ? 0 : 1;
}
