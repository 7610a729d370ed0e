/// What the tests of all backends leave out of the CUDA kernels: other sizes of tiles, tensor cores, and limits.
#include <limits>
#include <set>

#include "backend/suite.hpp"

using namespace suite;
using adtr::cuda::Bf16;
using adtr::cuda::Fragments;
using adtr::cuda::Precision;
using adtr::cuda::Tf32;
using adtr::cuda::kernels::TensorSlice;
using B = adtr::CudaEmulator;

namespace {

/// Attention and its gradients for heads of so many channels.
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

/// The float that a product on tensor cores takes x for.
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

}  // namespace

TEST_CASE("attention of wide heads, with and without dropout") {
  for (const Index channels : {33, 64, 128})
    for (const Index tokens : {1, 33, 70})
      for (const float rate : {0.0F, 0.2F}) {
        CAPTURE(channels, tokens, rate);
        check<B>(attention(tokens, 2, channels, rate), 1e-5);
      }
}

TEST_CASE("attention of wider heads is refused") {
  CHECK_THROWS_WITH(attention(4, 1, 129, 0.0F).operator()<B>(one_thread<B>()),
                    ContainsSubstring("at most 128 channels a head, not 129"));
}

TEMPLATE_TEST_CASE("products in large and small tiles have the same bits", "", B, Tf32Backend, Bf16Backend) {
  // The emulator calls four large tiles enough: 400 rows take them, 100 do not.
  for (const Index outputs : {100, 256}) {
    const Index inputs = 77, rows = 400;
    const auto a = numbers<float>(rows * inputs, 1), w = numbers<float>(outputs * inputs, 2);
    typename TestType::Packed packed;
    TestType::pack(one_thread<TestType>(), {w.data(), outputs, inputs}, packed);
    std::vector<float> whole(size(rows * outputs)), parts(whole.size());
    TestType::multiply(one_thread<TestType>(), {a.data(), rows, inputs}, packed, {}, {whole.data(), rows, outputs});
    for (Index r = 0; r < rows; r += 100)
      TestType::multiply(one_thread<TestType>(), {a.data() + r * inputs, 100, inputs}, packed, {},
                         {parts.data() + r * outputs, 100, outputs});
    CHECK((whole == parts));
  }
}

TEMPLATE_TEST_CASE("the lanes of a warp read fragments from 32 banks of shared memory", "", (TensorSlice<128, true>),
                   (TensorSlice<128, false>), (TensorSlice<64, true>), (TensorSlice<64, false>)) {
  const auto banks = [](const auto& row, const auto& word) {
    std::set<int> met;
    for (int lane = 0; lane < 32; ++lane) met.insert(TestType::place(row(lane), word(lane)) % 32);
    return met.size();
  };
  for (int i = 0; i < 4; ++i)
    CHECK(banks([i](int lane) { return Fragments::a_row(lane, i); },
                [i](int lane) { return Fragments::a_word(lane, i); }) == 32);
  for (int i = 0; i < 2; ++i)
    CHECK(banks([](int lane) { return Fragments::b_column(lane); },
                [i](int lane) { return Fragments::b_word(lane, i); }) == 32);
}

TEMPLATE_TEST_CASE("products on tensor cores are those of rounded factors", "", Tf32, Bf16) {
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

TEMPLATE_TEST_CASE("products on tensor cores pass on what is not finite", "", Tf32Backend, Bf16Backend) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{infinity, 1.0F, -infinity, 1.0F, std::numeric_limits<float>::quiet_NaN(), 1.0F};
  const auto c = multiply<TestType>(x, {1.0F, 2.0F}, 2);
  CHECK(c[0] == infinity);
  CHECK(c[1] == -infinity);
  CHECK(std::isnan(c[2]));
}

TEST_CASE("a GPU without tensor cores multiplies floats, and so does one that is not told otherwise") {
  const auto x = numbers<float>(20 * 30, 1), w = numbers<float>(10 * 30, 2);
  const auto run = [&](const B::Context& context) {
    std::vector<float> c(20 * 10);
    B::Packed packed;
    B::pack(context, {w.data(), 10, 30}, packed);
    B::multiply(context, {x.data(), 20, 30}, packed, {}, {c.data(), 20, 10});
    return c;
  };
  const auto floats = run(B::Context(1, Precision::float32));
  CHECK((run(B::Context()) == floats));
  CHECK((run(B::Context(1, Precision::tf32, false)) == floats));
  CHECK((run(B::Context(1, Precision::bf16, false)) == floats));
  CHECK((run(B::Context(1, Precision::tf32)) != floats));
  CHECK((run(B::Context(1, Precision::bf16)) != run(B::Context(1, Precision::tf32))));
}

TEST_CASE("more elements than kernels count are refused") {
  const Index rows = Index{1} << 20, columns = Index{1} << 11;
  CHECK_THROWS_WITH(B::accumulate(one_thread<B>(), {nullptr, rows, columns}, {nullptr, rows, columns}),
                    ContainsSubstring("takes at most 2147483647 elements, not 1048576 times 2048"));
}

TEST_CASE("a view that is wider than its vector is caught in the kernel") {
  std::vector<float> a(40), sums(8);
  // A matrix of no columns behind the last: the kernel looks up its own column only.
  CHECK_NOTHROW(B::accumulate_column_sums(one_thread<B>(), {a.data(), 5, 8}, sums.data()));
  CHECK_THROWS_WITH(B::add_positions(one_thread<B>(), {a.data(), 5, 8}, {sums.data(), 1, 7}, {a.data(), 5, 8}),
                    ContainsSubstring("kernel add_positions, block (0, 0, 0), thread 7") &&
                        ContainsSubstring("element (0, 7) of a matrix (1, 7)"));
}
