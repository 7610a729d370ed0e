/// What the tests of all backends leave out of the CUDA kernels: other sizes of tiles, and limits.
#include "backend/suite.hpp"

using namespace suite;
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

TEMPLATE_TEST_CASE("products in large and small tiles have the same bits", "", B, Tf32Emulator, Bf16Emulator) {
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
