// An activation of your own, without a change to the library: GELU (Hendrycks & Gimpel, 2016) as a layer between two
// convolutions. (An activation that the kernels apply while they store a result is added inside the library; see
// docs/extending.md.)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/core/random.hpp"
#include "adtr/nn/sequential.hpp"

using adtr::Index;

template <class Shape>
struct Gelu {
  using Input = Shape;
  using Output = Shape;
  static constexpr Index macs = 0;

  template <class T>
  struct Parameters {  // none
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };

  template <adtr::Backend B>
  struct Weights {
    using T = typename B::Scalar;
    using In = adtr::MapIn<B>;
    using Out = adtr::MapOut<B>;

    void prepare(const adtr::Preparation<B>&, const Parameters<T>&) {}

    void forward(const adtr::Pass<B>&, In x, Out y, adtr::Arena<T>&) const {
      adtr::in_host_memory<B>([&] {
        std::transform(x.data, x.data + x.batch * Shape::size, y.data,
                       [](T v) { return v / T{2} * (T{1} + std::erf(v / std::sqrt(T{2}))); });
      });
    }
  };
};
static_assert(adtr::Layer<Gelu<adtr::Extents<4, 4, 8>>>, "Gelu lacks something that every layer has");

namespace {

using First = adtr::Convolution<adtr::ImageShape<32, 32>, adtr::ConvolutionSpec{16, 3, 2}, "conv1", "bn1">;
using Second = adtr::Convolution<First::Output, adtr::ConvolutionSpec{8, 3, 2}, "conv2", "bn2">;
using Net = adtr::Sequential<adtr::Named<"", First>, adtr::Named<"gelu", Gelu<First::Output>>, adtr::Named<"", Second>>;

template <adtr::Backend B>
std::vector<double> run(const std::vector<double>& parameters, const std::vector<double>& image) {
  using T = typename B::Scalar;
  std::vector<T> p(parameters.begin(), parameters.end()), x(image.begin(), image.end()), y(Net::Output::size);
  const typename B::Context context(1);
  adtr::WeightsOf<Net, B> weights;
  weights.prepare({context}, adtr::bind_parameters<Net>(p.data()));
  const adtr::MapIn<B> in = adtr::map_view<Net::Input>(x.data(), 1);
  const adtr::MapOut<B> out = adtr::map_view<Net::Output>(y.data(), 1);
  adtr::Buffer<T> memory(adtr::measure_forward<Net, B>(adtr::Mode::inference, in, out));
  adtr::Arena<T> arena(memory.data(), memory.size());
  weights.forward({context}, in, out, arena);
  return {y.begin(), y.end()};
}

}  // namespace

int main() {
  adtr::RandomStream random(1, 0);
  std::vector<double> parameters(adtr::parameter_count<Net>), image(Net::Input::size);
  for (double& v : parameters) v = 0.2 * random.normal();
  for (double& v : image) v = random.normal();
  const auto exact = run<adtr::Reference<double>>(parameters, image), fast = run<adtr::Cpu>(parameters, image);
  double apart = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (!std::isfinite(fast[i])) return 1;
    apart = std::max(apart, std::abs(fast[i] - exact[i]));
    largest = std::max(largest, std::abs(exact[i]));
  }
  std::printf("Cpu differs from Reference<double> by at most %.0e of %.2f\n", apart, largest);
  return largest > 0.1 && apart < 1e-5 * largest ? 0 : 1;
}
