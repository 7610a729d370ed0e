/// The operations of a backbone that are not products.
#include "backend/suite.hpp"

using namespace suite;
using adtr::Activation;
using adtr::Window;

namespace {

struct Filter {
  Index height, width, channels;
  Window window;
  Index out_height, out_width;
  bool strided = false;
};

/// Every combination of kernel, stride and padding of padding.hpp, on maps of a few sizes.
std::vector<Filter> filters() {
  std::vector<Filter> list;
  for_each(Shapes<3>{{16, 16, 96}, {9, 7, 20}, {5, 12, 33}, {2, 2, 5}, {1, 1, 67}, {1, 6, 1}, {3, 1, 8}},
           [&](Index height, Index width, Index channels) {
             for (const Index kernel : {3, 5})
               for (const Index stride : {1, 2})
                 for (const bool same : {false, true}) {
                   const Index out_height = (height + stride - 1) / stride, out_width = (width + stride - 1) / stride;
                   const auto before = [&](Index in, Index out) {
                     return same ? std::max((out - 1) * stride + kernel - in, Index{0}) / 2 : (kernel - 1) / 2;
                   };
                   const Window window{kernel, stride, before(height, out_height), before(width, out_width)};
                   list.push_back({height, width, channels, window, out_height, out_width, same});
                 }
           });
  list.push_back({4, 4, 18, {7, 3, 5, 3}, 3, 3});  // windows wider than the map
  list.push_back({3, 3, 18, {3, 1, 4, 4}, 9, 9});  // windows that miss the map
  return list;
}

}  // namespace

TEMPLATE_TEST_CASE("depthwise", "[backend]", ADTR_BACKENDS) {
  auto all = filters();
  all.push_back({32, 32, 144, {3, 1, 1, 1}, 32, 32});
  all.push_back({16, 16, 672, {5, 2, 2, 2}, 8, 8});
  int i = 0;
  for (const Filter& f : all) {
    const Activation activation = activations[size(i++) % activations.size()];
    CAPTURE(f.height, f.width, f.channels, f.window.kernel, f.window.stride, f.window.top, f.window.left);
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      const Maps<T> x(images, f.height, f.width, f.channels, 1, 1.0F, f.strided);
      Maps<T> y(images, f.out_height, f.out_width, f.channels, 2, 1.0F, f.strided);
      const auto w = numbers<T>(f.window.kernel * f.window.kernel * f.channels, 3);
      const auto bias = numbers<T>(f.channels, 4);
      B::depthwise(context, x.in(), f.window, w.data(), bias.data(), activation, y.view);
      return y.rows.memory;
    };
    check_batch<TestType>(run, 3, sum_bound(f.window.kernel * f.window.kernel));
  }
}

TEMPLATE_TEST_CASE("max_pool", "[backend]", ADTR_BACKENDS) {
  auto all = filters();
  all.pop_back();  // a maximum over nothing
  all.push_back({32, 32, 64, {3, 2, 1, 1}, 16, 16});
  all.push_back({8, 8, 13, {2, 2, 0, 0}, 4, 4});
  for (const Filter& f : all) {
    CAPTURE(f.height, f.width, f.channels, f.window.kernel, f.window.stride, f.window.top, f.window.left);
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      Maps<T> x(images, f.height, f.width, f.channels, 1, 1.0F, f.strided);
      for (T& value : x.rows.memory)
        value = static_cast<T>(static_cast<float>(value) -
                               2.0F);  // makes all values negative, so that zeros outside would be the maximum
      Maps<T> y(images, f.out_height, f.out_width, f.channels, 2, 1.0F, f.strided);
      B::max_pool(context, x.in(), f.window, y.view);
      return y.rows.memory;
    };
    check_batch<TestType>(run, 3, 0.0);
  }
}

TEMPLATE_TEST_CASE("squeeze_excite", "[backend]", ADTR_BACKENDS) {
  struct Case {
    Index height, width, channels, squeezed;
    float scale;
    bool strided;
  };
  for (const auto& p :
       {Case{32, 32, 144, 6, 1.0F, false}, Case{8, 8, 1632, 68, 1.0F, false}, Case{6, 7, 24, 5, 3.0F, true},
        Case{1, 1, 13, 1, 1.0F, true}, Case{5, 3, 33, 9, 1.0F, false}, Case{1, 1, 1, 1, 10.0F, false}})
    for (const auto activation : {Activation::silu, Activation::relu}) {
      CAPTURE(p.height, p.width, p.channels, p.squeezed, activation);
      const auto run = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        Maps<T> x(images, p.height, p.width, p.channels, 1, p.scale, p.strided);
        const auto w1 = numbers<T>(p.squeezed * p.channels, 2), b1 = numbers<T>(p.squeezed, 3),
                   w2 = numbers<T>(p.squeezed * p.channels, 4), b2 = numbers<T>(p.channels, 5);
        std::vector<T> scratch(size(images.count * (2 * p.channels + p.squeezed)));
        B::squeeze_excite(context, x.view, {p.squeezed, w1.data(), b1.data(), w2.data(), b2.data(), activation},
                          scratch.data());
        return x.rows.memory;
      };
      check_batch<TestType>(run, 3, sum_bound(p.height * p.width + p.channels));
    }
}

TEMPLATE_TEST_CASE("squeeze_excite: gates at the extremes", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  constexpr Index channels = 10;
  const std::vector<float> bias{0.0F, 100.0F, -100.0F, 1e4F, -1e4F, 87.0F, -87.0F, 104.0F, -104.0F, -1e6F};
  const std::vector<float> zeros(channels);
  std::vector<float> x(channels, 2.0F), scratch(2 * channels + 1);
  B::squeeze_excite(one_thread<B>(), {x.data(), 1, 1, 1, channels},
                    {1, zeros.data(), zeros.data(), zeros.data(), bias.data(), Activation::silu}, scratch.data());
  for (std::size_t c = 0; c < channels; ++c) {
    const double gate = 1.0 / (1.0 + std::exp(-static_cast<double>(bias[c])));
    CAPTURE(bias[c]);
    CHECK(std::abs(static_cast<double>(x[c]) - 2.0 * gate) <= exponential_bound(bias[c]) * gate + 1e-30);
  }
}

TEMPLATE_TEST_CASE("inverted_residual", "[backend]", ADTR_GEMM_BACKENDS) {
  struct Case {
    Index height, width, inputs, channels, outputs, squeezed;
    Window window;
    Index out_height, out_width;
    bool expands, strided;
    Activation activation;
  };
  using enum Activation;
  for (const auto& p : {Case{16, 16, 8, 48, 8, 2, {3, 1, 1, 1}, 16, 16, true, false, silu},
                        Case{16, 12, 9, 54, 20, 3, {5, 2, 2, 2}, 8, 6, true, true, silu},
                        Case{32, 40, 24, 144, 32, 6, {3, 2, 0, 0}, 16, 20, true, false, silu},
                        Case{8, 8, 40, 240, 112, 10, {5, 1, 2, 2}, 8, 8, true, false, silu},
                        Case{4, 4, 300, 600, 30, 12, {3, 1, 1, 1}, 4, 4, true, false, silu},
                        Case{24, 24, 32, 32, 16, 8, {3, 1, 1, 1}, 24, 24, false, false, silu},
                        Case{9, 19, 6, 70, 70, 5, {5, 1, 2, 2}, 9, 19, true, false, relu},
                        Case{17, 11, 5, 33, 7, 40, {5, 2, 1, 2}, 9, 6, true, true, silu},
                        Case{10, 9, 4, 24, 4, 3, {7, 3, 3, 3}, 4, 3, true, false, silu},
                        Case{16, 16, 16, 96, 16, 0, {3, 1, 1, 1}, 16, 16, true, false, relu6},
                        Case{7, 9, 13, 78, 13, 0, {5, 1, 2, 2}, 7, 9, true, true, relu6},
                        Case{2, 700, 4, 16, 4, 1, {5, 1, 2, 2}, 2, 700, true, false, silu},  // rows beyond the cache
                        Case{3, 2500, 3, 17, 3, 2, {3, 2, 1, 1}, 2, 1250, true, false, relu}}) {
    // Large maps do not matter for tensor cores, and take the emulator a long time.
    if (emulated_tensor<TestType> && p.height * p.width > 256) continue;
    CAPTURE(p.height, p.width, p.channels, p.window.kernel, p.window.stride, p.expands);
    const bool residual = p.inputs == p.outputs && p.window.stride == 1;
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      const Maps<T> x(images, p.height, p.width, p.inputs, 1, 1.0F, p.strided);
      Maps<T> y(images, p.out_height, p.out_width, p.outputs, 2, 1.0F, p.strided);
      typename B::Packed expand, project;
      const auto w1 = numbers<T>(p.channels * p.inputs, 3), b1 = numbers<T>(p.channels, 4),
                 w2 = numbers<T>(p.window.kernel * p.window.kernel * p.channels, 5), b2 = numbers<T>(p.channels, 6),
                 w3 = numbers<T>(p.squeezed * p.channels, 7), b3 = numbers<T>(p.squeezed, 8),
                 w4 = numbers<T>(p.squeezed * p.channels, 9), b4 = numbers<T>(p.channels, 10),
                 w5 = numbers<T>(p.outputs * p.channels, 11), b5 = numbers<T>(p.outputs, 12);
      if (p.expands) B::pack(context, {w1.data(), p.channels, p.inputs}, expand);
      B::pack(context, {w5.data(), p.outputs, p.channels}, project);
      const auto scratch_size =
          B::inverted_residual_scratch({images.count, p.height, p.width, p.out_height, p.out_width, p.window.kernel,
                                        p.window.stride, p.channels, p.outputs, p.squeezed, p.expands});
      // On a cache line, as an Arena has it. (A large Buffer is not of operator new, which gives a GPU's tests memory.)
      std::vector<T> memory(size(scratch_size + 16));
      T* scratch = memory.data();
      while (reinterpret_cast<std::uintptr_t>(scratch) % adtr::alignment != 0) ++scratch;
      scratch[scratch_size] = T{17};
      adtr::InvertedResidual<T, typename B::Packed> block{
          p.channels, p.expands ? &expand : nullptr, b1.data(), p.window, w2.data(), b2.data(), p.activation};
      block.excite = {p.squeezed, w3.data(), b3.data(), w4.data(), b4.data(), p.activation};
      block.project = &project;
      block.project_bias = b5.data();
      block.residual = residual;
      B::inverted_residual(context, x.in(), block, scratch, y.view);
      CHECK(scratch[scratch_size] == T{17});
      return y.rows.memory;
    };
    check_batch<TestType>(run, 3, gemm_bound<TestType>(p.inputs + p.channels + p.window.kernel * p.window.kernel));
  }
}

TEMPLATE_TEST_CASE("resize", "[backend]", ADTR_BACKENDS) {
  struct Case {
    Index height, width, out_height, out_width, channels;
    bool strided;
  };
  for (const auto& p : {Case{64, 64, 16, 16, 32, true}, Case{8, 8, 16, 16, 272, true}, Case{5, 3, 16, 16, 11, false},
                        Case{7, 6, 1, 1, 5, false}, Case{1, 1, 8, 8, 3, false}, Case{8, 8, 8, 8, 7, true},
                        Case{1, 9, 4, 2, 1, false}, Case{16, 12, 8, 1, 24, true}}) {
    CAPTURE(p.height, p.width, p.out_height, p.out_width, p.channels);
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      const Maps<T> x(images, p.height, p.width, p.channels, 1, 1.0F, p.strided);
      Maps<T> y(images, p.out_height, p.out_width, p.channels, 2, 1.0F, p.strided);
      B::resize(context, x.in(), y.view);
      return y.rows.memory;
    };
    check_batch<TestType>(run, 3, 1e-6);
  }
}

namespace {

struct Area {
  Index height, width, out_height, out_width, channels;
  bool strided;
};

/// Shrinking and enlarging, by integers and by fractions, each direction by itself.
constexpr Area areas[] = {{64, 64, 16, 16, 24, true}, {8, 8, 16, 16, 272, true}, {5, 3, 16, 16, 11, false},
                          {7, 6, 1, 1, 5, false},     {1, 1, 8, 8, 3, false},    {8, 8, 8, 8, 7, true},
                          {1, 9, 4, 2, 1, false},     {16, 12, 8, 1, 40, true},  {13, 20, 5, 12, 33, true},
                          {9, 6, 6, 9, 16, false},    {11, 10, 10, 11, 19, true}};

}  // namespace

TEMPLATE_TEST_CASE("resize_area", "[backend]", ADTR_BACKENDS) {
  for (const Area& p : areas) {
    CAPTURE(p.height, p.width, p.out_height, p.out_width, p.channels);
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      const Maps<T> x(images, p.height, p.width, p.channels, 1, 1.0F, p.strided);
      Maps<T> y(images, p.out_height, p.out_width, p.channels, 2, 1.0F, p.strided);
      B::resize_area(context, x.in(), y.view);
      return y.rows.memory;
    };
    check_batch<TestType>(run, 3, 1e-6);
  }
}

TEST_CASE("The oracle's resize_area is the mean of copies: each pixel as often as there are outputs") {
  for (const Area& p : areas) {
    CAPTURE(p.height, p.width, p.out_height, p.out_width);
    const Maps<double> x({0, 2}, p.height, p.width, p.channels, 1);
    Maps<double> y({0, 2}, p.out_height, p.out_width, p.channels, 2);
    Oracle::resize_area(one_thread<Oracle>(), x.in(), y.view);
    double error = 0.0;
    for (Index n = 0; n < 2; ++n)
      for (Index oy = 0; oy < p.out_height; ++oy)
        for (Index ox = 0; ox < p.out_width; ++ox)
          for (Index c = 0; c < p.channels; ++c) {
            // In a line of in·out copies each cell has `in` of them.
            double sum = 0.0;
            for (Index i = 0; i < p.height; ++i)
              for (Index j = 0; j < p.width; ++j)
                sum += x.in().pixel(n, (oy * p.height + i) / p.out_height, (ox * p.width + j) / p.out_width)[c];
            const double mean = sum / static_cast<double>(p.height * p.width);
            error = std::max(error, std::abs(y.view.pixel(n, oy, ox)[c] - mean));
          }
    CHECK(error < 1e-12);
  }
}

TEMPLATE_TEST_CASE("resize_area to a multiple of the size repeats pixels", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  using T = typename B::Scalar;
  const Maps<T> x({0, 1}, 3, 4, 9, 1);
  Maps<T> y({0, 1}, 6, 12, 9, 2);
  B::resize_area(one_thread<B>(), x.in(), y.view);
  for (Index oy = 0; oy < 6; ++oy)
    for (Index ox = 0; ox < 12; ++ox)
      for (Index c = 0; c < 9; ++c) REQUIRE(y.view.pixel(0, oy, ox)[c] == x.in().pixel(0, oy / 2, ox / 3)[c]);
}

TEMPLATE_TEST_CASE("standardise", "[backend]", ADTR_BACKENDS) {
  for_each(Shapes<3>{{32, 32, 3}, {16, 16, 720}, {1, 5, 13}}, [&](Index height, Index width, Index channels) {
    CAPTURE(height, width, channels);
    const auto run = [&]<class B>(const typename B::Context& context, Images images) {
      using T = typename B::Scalar;
      Maps<T> x(images, height, width, channels, 1, 5.0F, channels == 13);
      const auto mean = numbers<T>(channels, 2), inverse_std = numbers<T>(channels, 3, 4.0F);
      B::standardise(context, x.view, mean.data(), inverse_std.data());
      return x.rows.memory;
    };
    check_batch<TestType>(run, 3, 1e-6);
  });
}
