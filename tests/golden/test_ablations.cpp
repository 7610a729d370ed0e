/// The networks of the ablations against PyTorch: their reconstruction and all gradients of L_norm.
#include "adtr/models/plain_reconstruction.hpp"
#include "adtr/models/reconstruction.hpp"
#include "golden/backends.hpp"
#include "golden/golden.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

namespace {

using adtr::Index;
using adtr::Mode;
constexpr Index height = 4, width = 5, tokens = height * width, channels = 24, batch = 2, rows = batch * tokens;

constexpr adtr::TransformerSpec spec(adtr::Mixing mixing, bool query) {
  return {.channels = 16, .heads = 2, .hidden = 32, .layers = 2, .mixing = mixing, .query = query};
}
using NoQuery = adtr::Reconstruction<tokens, channels, spec(adtr::Mixing::attention, false)>;
using Convolution = adtr::PlainReconstruction<height, width, channels, spec(adtr::Mixing::convolution, true)>;
using None = adtr::PlainReconstruction<height, width, channels, spec(adtr::Mixing::none, true)>;

template <class T>
struct FromFormula {
  std::string prefix;
  void tensor(const std::string& name, T* data, const adtr::Shape& shape) const {
    const std::vector<std::size_t> sizes(shape.sizes.begin(), shape.sizes.begin() + shape.rank);
    const auto values = formula::parameter<T>(prefix + name, sizes);
    std::copy(values.begin(), values.end(), data);
  }
};

template <class T>
struct CompareGradients {
  const golden::Golden& expected;
  std::string prefix;
  void tensor(const std::string& name, const T* data, const adtr::Shape& shape) const {
    INFO(name);
    const std::span<const T> actual(data, static_cast<std::size_t>(shape.size()));
    CHECK(expected.error(prefix + "grad." + name, actual) < golden::tolerance<T>);
  }
};

template <class Net, class B>
void check(const std::string& name) {
  INFO(name);
  using T = typename B::Scalar;
  const auto context = support::context<B>(2);
  const golden::Golden expected("ablations");
  adtr::Buffer<T> memory(adtr::parameter_count<Net>), gradient(memory.size());
  auto parameters = adtr::bind_parameters<Net, T>(memory.data()),
       gradients = adtr::bind_parameters<Net, T>(gradient.data());
  adtr::walk_parameters(parameters, "", FromFormula<T>{name + '.'});
  std::vector<T> f;
  for (const char* image : {"features.0", "features.1"}) {
    const auto one = formula::uniform<T>(image, static_cast<std::size_t>(tokens * channels), 1.7);
    f.insert(f.end(), one.begin(), one.end());
  }
  adtr::Buffer<T> output(rows * channels), d_output(rows * channels);
  const adtr::MatrixIn<B> in(f.data(), rows, channels);
  const adtr::MatrixOut<B> y(output.data(), rows, channels), dy(d_output.data(), rows, channels);
  for (const Mode mode : {Mode::inference, Mode::training}) {
    adtr::WeightsOf<Net, B> weights;
    weights.prepare({context, mode}, parameters);
    adtr::Buffer<T> room(mode == Mode::inference ? adtr::measure_forward<Net, B>(mode, in, y)
                                                 : adtr::measure_training<Net, B>({}, in, y));
    adtr::Arena<T> arena(room.data(), room.size());
    const adtr::Pass<B> pass{context, mode};
    const auto kept = weights.forward(pass, in, y, arena);
    CHECK(expected.error(name + ".reconstruction", std::span<const T>(output.data(), f.size())) < golden::tolerance<T>);
    if (mode == Mode::inference) continue;
    double sum = 0.0;
    B::norm_gradient(context, in, y, static_cast<T>(2.0 / static_cast<double>(rows)), dy, &sum);
    weights.backward(pass, in, kept, dy, gradients, {}, arena);
  }
  adtr::walk_parameters(gradients, "", CompareGradients<T>{expected, name + '.'});
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("the ablations' networks equal PyTorch", "[golden]", golden::NetworkBackends) {
  check<NoQuery, TestType>("no_query");
  check<Convolution, TestType>("convolution");
  check<None, TestType>("none");
}
