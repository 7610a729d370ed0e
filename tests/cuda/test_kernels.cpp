/// Tests of the CUDA kernels that the tests of all backends do not cover: other tile sizes, tensor cores, and limits.
#include <initializer_list>
#include <limits>

#include "adtr/backend/cuda/emulator/tensor.hpp"
#include "backend/suite.hpp"

using namespace suite;
using adtr::cuda::Bf16;
using adtr::cuda::Tf32;
using B = suite::CudaBackend;

namespace {

/// Attention and its gradients for heads with this number of channels.
auto attention(Index tokens, Index heads, Index channels, float rate) {
  return [=]<class C>(const typename C::Context& context) {
    using T = typename C::Scalar;
    const Images two{0, 2};
    const Index columns = heads * channels;
    const Rows<T> query(two, tokens, columns, 1), key(two, tokens, columns, 2), value(two, tokens, columns, 3),
        dout(two, tokens, columns, 4);
    Rows<T> out(two, tokens, columns, 5), d(two, tokens, 3 * columns, 6);
    std::vector<T> sums(size(2 * heads * tokens));
    const adtr::Attention<T> a{2,          tokens,   heads,       query.in(),     key.in(),
                               value.in(), out.view, sums.data(), {rate, 1, 2, 3}};
    C::attention(context, a);
    C::attention_backward(context, a,
                          {dout.in(), d.view.columns(0, columns), d.view.columns(columns, columns),
                           d.view.columns(2 * columns, columns)});
    out.memory.insert(out.memory.end(), d.memory.begin(), d.memory.end());
    return out.memory;
  };
}

/// x as a product on tensor cores rounds it.
template <class Format>
float rounded(float x) {
  adtr::cuda::Array<float, Format::values> all = {};
  all[0] = x;
  return adtr::cuda::emulator::unpack(Format{}, adtr::cuda::emulator::pack(Format{}, all), 0);
}

/// x·wᵀ
template <class C>
std::vector<typename C::Scalar> multiply(const std::vector<float>& x, const std::vector<float>& w, Index inputs) {
  using T = typename C::Scalar;
  const auto rows = static_cast<Index>(x.size()) / inputs, outputs = static_cast<Index>(w.size()) / inputs;
  const std::vector<T> xs(x.begin(), x.end()), ws(w.begin(), w.end());
  std::vector<T> y(size(rows * outputs));
  typename C::Packed packed;
  C::pack(one_thread<C>(), {ws.data(), outputs, inputs}, packed);
  C::multiply(one_thread<C>(), {xs.data(), rows, inputs}, packed, {}, {y.data(), rows, outputs});
  return y;
}

/// Whether this GPU has tensor cores.
bool tensor_cores() { return one_thread<B>().tensor_cores(); }

}  // namespace

TEST_CASE("attention of wide heads, with and without dropout", "[backend]") {
#ifdef ADTR_SANITIZED  // the emulator checks what kernels access; sanitizers check the code on the host
  const std::initializer_list<Index> widths{128}, lengths{33};
#else
  const std::initializer_list<Index> widths{33, 64, 128}, lengths{1, 33};
#endif
  for (const Index channels : widths)
    for (const Index tokens : lengths)
      for (const float rate : {0.0F, 0.2F}) {
        CAPTURE(channels, tokens, rate);
        check<B>(attention(tokens, 2, channels, rate), 1e-5);
      }
}

TEMPLATE_TEST_CASE("attention on tensor cores", "[backend]", Tf32Backend, Bf16Backend) {
  const double bound = std::string_view(TestType::name).ends_with("tf32") ? 2e-3 : 2e-2;
  // Each kind of tile, with a part of one and with more than one: they have 64, 32 or 16 tokens.
  for_each(Shapes<2>{{7, 1}, {7, 70}, {32, 33}, {64, 33}, {128, 33}}, [&](Index channels, Index tokens) {
    for (const float rate : {0.0F, 0.2F}) {
      CAPTURE(channels, tokens, rate);
      check<TestType>(attention(tokens, 2, channels, rate), bound);
    }
  });
}

TEST_CASE("attention of wider heads is refused", "[backend]") {
  CHECK_THROWS_WITH(attention(4, 1, 129, 0.0F).operator()<B>(one_thread<B>()),
                    ContainsSubstring("at most 128 channels per head, not 129"));
}

TEMPLATE_TEST_CASE("products in large and small tiles have the same bits", "[backend]", B, Tf32Backend, Bf16Backend) {
  const auto& context = one_thread<TestType>();
  // With two large tiles for each multiprocessor, all rows use large tiles, and a quarter of the rows does not.
  const Index part = 64 * context.multiprocessors() + 5, rows = 4 * part, inputs = 77;
  for (const Index outputs : {100, 256}) {
    const auto a = numbers<float>(rows * inputs, 1), w = numbers<float>(outputs * inputs, 2);
    typename TestType::Packed packed;
    TestType::pack(context, {w.data(), outputs, inputs}, packed);
    std::vector<float> whole(size(rows * outputs)), parts(whole.size());
    TestType::multiply(context, {a.data(), rows, inputs}, packed, {}, {whole.data(), rows, outputs});
    for (Index r = 0; r < rows; r += part)
      TestType::multiply(context, {a.data() + r * inputs, part, inputs}, packed, {},
                         {parts.data() + r * outputs, part, outputs});
    CHECK((whole == parts));
  }
}

TEMPLATE_TEST_CASE("products on tensor cores are those of rounded factors", "[backend]", Tf32, Bf16) {
  if (!tensor_cores()) return;
  using Tensor = std::conditional_t<std::same_as<TestType, Tf32>, Tf32Backend, Bf16Backend>;
  for_each(Shapes<3>{{70, 130, 77}, {130, 70, 16}, {16, 8, 500}, {3, 5, 1}},
           [](Index rows, Index outputs, Index inputs) {
             CAPTURE(rows, outputs, inputs);
             auto x = numbers<float>(rows * inputs, 1), w = numbers<float>(outputs * inputs, 2);
             const auto actual = multiply<Tensor>(x, w, inputs);
             CHECK(error(actual, multiply<Oracle>(x, w, inputs)) > 1e-5);  // floats would be within
             for (float& v : x) v = rounded<TestType>(v);
             for (float& v : w) v = rounded<TestType>(v);
             CHECK((multiply<Tensor>(x, w, inputs) == actual));
             CHECK(error(actual, multiply<Oracle>(x, w, inputs)) <= sum_bound(inputs));
           });
}

TEMPLATE_TEST_CASE("products on tensor cores propagate infinity and NaN", "[backend]", Tf32Backend, Bf16Backend) {
  if (!tensor_cores()) return;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{infinity, 1.0F, -infinity, 1.0F, std::numeric_limits<float>::quiet_NaN(), 1.0F};
  const auto c = multiply<TestType>(x, {1.0F, 2.0F}, 2);
  CHECK(c[0] == infinity);
  CHECK(c[1] == -infinity);
  CHECK(std::isnan(c[2]));
}

TEST_CASE("a block that squeezes to more channels than fit into shared memory is refused", "[backend]") {
  const std::vector<float> zeros(1025);
  std::vector<float> y(1);
  B::Packed project;
  B::pack(one_thread<B>(), {zeros.data(), 1, 1}, project);
  const auto run = [&](Index squeezed) {
    std::vector<float> scratch(size(B::inverted_residual_scratch({1, 1, 1, 1, 1, 1, 1, 1, 1, squeezed, false})));
    adtr::InvertedResidual<float, B::Packed> block{1, nullptr, nullptr, {}, zeros.data(), zeros.data()};
    block.excite = {squeezed, zeros.data(), zeros.data(), zeros.data(), zeros.data()};
    block.project = &project;
    B::inverted_residual(one_thread<B>(), {zeros.data(), 1, 1, 1, 1}, block, scratch.data(), {y.data(), 1, 1, 1, 1});
  };
  CHECK_NOTHROW(run(1024));
  CHECK_THROWS_WITH(run(1025), ContainsSubstring("squeezes to at most 1024 channels, not 1025"));
}

TEST_CASE("more elements than kernels count are refused", "[backend]") {
  const Index rows = Index{1} << 20, columns = Index{1} << 11;
  CHECK_THROWS_WITH(B::accumulate(one_thread<B>(), {nullptr, rows, columns}, {nullptr, rows, columns}),
                    ContainsSubstring("takes at most 2147483647 elements, not 1048576 times 2048"));
}
