// The compile-time properties of layers, and the order of layers in stages and sequences.
#include "adtr/backend/reference.hpp"
#include "adtr/models/adtr.hpp"
#include "adtr/models/efficientnet.hpp"
#include "adtr/models/resnet.hpp"
#include "nn/differences.hpp"

namespace {

using adtr::Index;
using Image = adtr::ImageShape<256, 256>;
using B4 = adtr::Adtr<adtr::EfficientNetB4<Image>, adtr::Grid<16, 16>>;

// Figures of the architecture, known independently of this code: timm's parameter counts without those after the
// taps.
static_assert(B4::Features::channels == 720);
static_assert(B4::Backbone::macs == 1'909'354'848 && B4::Transformer::macs == 2'376'073'216);
static_assert(std::is_same_v<B4::Backbone::Tap<0>, adtr::Extents<128, 128, 24>>);
static_assert(std::is_same_v<B4::Backbone::Tap<4>, adtr::Extents<8, 8, 448>>);
static_assert(adtr::EfficientNetB0<Image>::channels == 512 && adtr::EfficientNetLite0<Image>::channels == 512);
static_assert(adtr::ResNet18<Image>::channels == 448);
// EfficientNet shapes of other members (timm's feature_info).
static_assert(adtr::EfficientNetB7<Image>::channels == 32 + 48 + 80 + 224 + 640);
static_assert(adtr::EfficientNetLite4<Image>::channels == 24 + 32 + 56 + 160 + 448);

// TensorFlow's SAME padding: total = max((ceil(i/s) − 1)·s + k − i, 0), the smaller half first.
static_assert(adtr::window(256, 256, 3, 2, adtr::Padding::same).top == 0);
static_assert(adtr::window(256, 256, 3, 2, adtr::Padding::symmetric).top == 1);
static_assert(adtr::window(128, 128, 5, 2, adtr::Padding::same).left == 1);
static_assert(adtr::window(128, 128, 5, 2, adtr::Padding::symmetric).left == 2);
static_assert(adtr::window(7, 7, 3, 2, adtr::Padding::same).top == 1);
static_assert(adtr::window(16, 16, 5, 1, adtr::Padding::same).top == 2);

using B = adtr::Reference<double>;

template <class Layer>
std::vector<double> run(const std::vector<double>& x, std::vector<double>& memory) {
  const B::Context context(1);
  adtr::WeightsOf<Layer, B> weights;
  weights.prepare({context}, adtr::bind_parameters<Layer>(memory.data()));
  std::vector<double> y(static_cast<std::size_t>(Layer::Output::size));
  const adtr::MapIn<B> in = adtr::map_view<typename Layer::Input>(x.data(), 1);
  const adtr::MapOut<B> out = adtr::map_view<typename Layer::Output>(y.data(), 1);
  adtr::Buffer<double> room(adtr::measure_forward<Layer, B>(adtr::Mode::inference, in, out));
  adtr::Arena<double> arena(room.data(), room.size());
  weights.forward({context}, in, out, arena);
  return y;
}

}  // namespace

TEST_CASE("A stage is its blocks one after another, for odd and even numbers of blocks") {
  using In = adtr::Extents<6, 6, 4>;
  using First = adtr::MBConv<In, adtr::MBConvSpec{8, 2, 3, 2, 2}>;
  using Rest = adtr::MBConv<First::Output, adtr::MBConvSpec{8, 2, 3, 1, 2}>;
  const auto x = differences::random_values(In::size, 1);
  const auto check = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
    using Layer = adtr::Stage<First, Rest, N>;
    auto memory = differences::random_values(adtr::parameter_count<Layer>, 2);
    std::vector<double> first(memory.begin(), memory.begin() + adtr::parameter_count<First>);
    auto expected = run<First>(x, first);
    for (std::size_t i = 1; i < N; ++i) {
      const auto begin =
          memory.begin() + adtr::parameter_count<First> + static_cast<Index>(i - 1) * adtr::parameter_count<Rest>;
      std::vector<double> rest(begin, begin + adtr::parameter_count<Rest>);
      expected = run<Rest>(expected, rest);
    }
    CHECK(run<Layer>(x, memory) == expected);
  };
  check(std::integral_constant<std::size_t, 1>{});
  check(std::integral_constant<std::size_t, 2>{});
  check(std::integral_constant<std::size_t, 3>{});
}

TEST_CASE("A sequence is its layers one after another, and its taps see every output") {
  using In = adtr::Extents<8, 8, 3>;
  using A = adtr::Convolution<In, adtr::ConvolutionSpec{4, 3, 2, adtr::Activation::relu}>;
  using C = adtr::BasicBlock<A::Output, 6, 1>;
  using D = adtr::MaxPool<C::Output, 3, 2>;
  using Layer = adtr::Sequential<adtr::Named<"a", A>, adtr::Named<"c", C>, adtr::Named<"d", D>>;
  auto memory = differences::random_values(adtr::parameter_count<Layer>, 3);
  const auto x = differences::random_values(In::size, 4);
  std::vector<double> a(memory.begin(), memory.begin() + adtr::parameter_count<A>);
  std::vector<double> c(memory.begin() + adtr::parameter_count<A>, memory.end());
  std::vector<double> none;
  const auto after_a = run<A>(x, a), after_c = run<C>(after_a, c), after_d = run<D>(after_c, none);
  CHECK(run<Layer>(x, memory) == after_d);

  const B::Context context(1);
  adtr::WeightsOf<Layer, B> weights;
  weights.prepare({context}, adtr::bind_parameters<Layer>(memory.data()));
  std::vector<double> y(after_d.size());
  const adtr::MapIn<B> in = adtr::map_view<In>(x.data(), 1);
  const adtr::MapOut<B> out = adtr::map_view<Layer::Output>(y.data(), 1);
  adtr::Buffer<double> room(adtr::measure_forward<Layer, B>(adtr::Mode::inference, in, out));
  adtr::Arena<double> arena(room.data(), room.size());
  std::vector<std::vector<double>> seen;
  weights.forward({context}, in, out, arena, [&](auto k, adtr::MapIn<B> map) {
    CHECK(k() == seen.size());
    seen.emplace_back(map.data, map.data + map.pixels() * map.channels);
  });
  CHECK(seen == std::vector<std::vector<double>>{after_a, after_c, after_d});
}

TEST_CASE("Parameter lists name tensors as PyTorch does") {
  struct Collect {
    std::vector<std::string> names;
    void tensor(const std::string& name, float*, const adtr::Shape&) { names.push_back(name); }
    void folded(const std::string& path, const adtr::Folded& f, float*, float*, const adtr::Shape&) {
      names.push_back(path + f.convolution);
    }
  } collect;
  auto transformer = adtr::bind_parameters<B4::Transformer>(static_cast<float*>(nullptr));
  adtr::walk_parameters(transformer, "", collect);
  auto backbone = adtr::bind_parameters<B4::Backbone::Layers>(static_cast<float*>(nullptr));
  adtr::walk_parameters(backbone, "backbone.", collect);
  const auto has = [&](const char* name) {
    return std::find(collect.names.begin(), collect.names.end(), name) != collect.names.end();
  };
  CHECK(has("input_proj.weight"));
  CHECK(has("pos_embed"));
  CHECK(has("encoder.layers.3.self_attn.in_proj_weight"));
  CHECK(has("decoder.layers.0.multihead_attn.out_proj.bias"));
  CHECK(has("decoder.norm.weight"));
  CHECK(has("backbone.conv_stem"));
  CHECK(has("backbone.blocks.0.0.conv_pw"));
  CHECK(has("backbone.blocks.6.1.se.conv_expand"));
  CHECK_FALSE(has("backbone.blocks.6.2.conv_pw"));
}
