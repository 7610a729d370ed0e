/// Attention and its gradient.
#include "backend/suite.hpp"

using namespace suite;

namespace {

struct Case {
  Index batch, tokens, heads, channels;  ///< channels of a head
  float scale = 1.0F;                    ///< of queries: large ones make softmax choose
  bool strided = false;
};

/// Sequences that are multiples of the blocks of every backend, and others.
std::vector<Case> cases() {
  return {
      {2, 64, 8, 32},       {1, 256, 4, 32},     {1, 1024, 1, 32}, {3, 10, 2, 5, 3.0F, true},   {3, 1, 2, 8},
      {2, 2, 3, 1},         {2, 17, 4, 8, 5.0F}, {1, 65, 1, 5},    {2, 100, 2, 16, 1.0F, true}, {2, 33, 2, 32, 200.0F},
      {1, 130, 2, 7, 2.0F}, {2, 4, 1, 3}};
}

/// The number of multiplications in a product of queries and keys.
Index products(const Case& p) { return p.batch * p.heads * p.tokens * p.tokens * p.channels; }

/// A logit is known to its rounding, and its weight relatively to that.
double bound(const Case& p) { return 1e-5 + 2e-7 * static_cast<double>(p.scale); }

template <class T>
struct Operands {
  Rows<T> query, key, value, out;
  std::vector<T> log_sum_exp;
  adtr::Attention<T> attention;

  Operands(const Case& p, Images images, adtr::Dropout dropout, bool keep_sums)
      : query(images, p.tokens, p.heads * p.channels, 1, p.scale, p.strided),
        key(images, p.tokens, p.heads * p.channels, 2, 2.0F, p.strided),
        value(images, p.tokens, p.heads * p.channels, 3, 1.0F, p.strided),
        out(images, p.tokens, p.heads * p.channels, 4, 1.0F, p.strided),
        log_sum_exp(size(images.count * p.heads * p.tokens)),
        attention{images.count, p.tokens,   p.heads,  query.in(),
                  key.in(),     value.in(), out.view, keep_sums ? log_sum_exp.data() : nullptr,
                  dropout} {}
};

/// The gradients of query, key and value, one image after the other.
auto backward(const Case& p, adtr::Dropout dropout) {
  return [p, dropout]<class B>(const typename B::Context& context, Images images) {
    using T = typename B::Scalar;
    Operands<T> o(p, images, dropout, true);
    B::attention(context, o.attention);
    const Index columns = p.heads * p.channels;
    const Rows<T> dout(images, p.tokens, columns, 5, 1.0F, p.strided);
    Rows<T> d(images, p.tokens, 3 * columns, 6, 1.0F, p.strided);
    B::attention_backward(context, o.attention,
                          {dout.in(), d.view.columns(0, columns), d.view.columns(columns, columns),
                           d.view.columns(2 * columns, columns)});
    return d.memory;
  };
}

}  // namespace

TEMPLATE_TEST_CASE("attention", "[backend]", ADTR_BACKENDS) {
  for (const Case& p : cases()) {
    if (!affordable<TestType>(products(p))) continue;
    CAPTURE(p.batch, p.tokens, p.heads, p.channels, p.scale);
    for (const bool keep_sums : {false, true}) {
      const auto run = [&]<class B>(const typename B::Context& context, Images images) {
        Operands<typename B::Scalar> o(p, images, {}, keep_sums);
        B::attention(context, o.attention);
        return o.out.memory;
      };
      check_batch<TestType>(run, p.batch, bound(p));
    }
    const auto sums = [&]<class B>(const typename B::Context& context, Images images) {
      Operands<typename B::Scalar> o(p, images, {}, true);
      B::attention(context, o.attention);
      return o.log_sum_exp;
    };
    check_batch<TestType>(sums, p.batch, 1e-6);
  }
}

TEMPLATE_TEST_CASE("attention_backward", "[backend]", ADTR_BACKENDS) {
  for (const Case& p : cases()) {
    if (!affordable<TestType>(products(p))) continue;
    CAPTURE(p.batch, p.tokens, p.heads, p.channels, p.scale);
    check_batch<TestType>(backward(p, {}), p.batch, 2.0 * bound(p));
  }
}

TEMPLATE_TEST_CASE("attention with dropout", "[backend]", ADTR_BACKENDS) {
  for (const Case& p : cases()) {
    if (p.tokens > 256 || !affordable<TestType>(products(p))) continue;  // the oracle draws a word at a time
    const adtr::Dropout dropout{0.3F, 11, 2, 5};
    CAPTURE(p.batch, p.tokens, p.heads, p.channels, p.scale);
    const auto forward = [&]<class B>(const typename B::Context& context) {
      Operands<typename B::Scalar> o(p, {0, p.batch}, dropout, true);
      B::attention(context, o.attention);
      return o.out.memory;
    };
    check<TestType>(forward, bound(p));
    const auto gradient = [&]<class B>(const typename B::Context& context) {
      return backward(p, dropout).template operator()<B>(context, Images{0, p.batch});
    };
    check<TestType>(gradient, 2.0 * bound(p));
  }
}

TEMPLATE_TEST_CASE("attention drops exactly the weights that Dropout selects", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  const adtr::Dropout dropout{0.4F, 17, 3, 9};
  for (const Index tokens : {8, 24, 40}) {
    constexpr Index batch = 2, heads = 3;
    const Index columns = heads * tokens;
    const auto query = numbers<float>(batch * tokens * columns, 1), key = numbers<float>(batch * tokens * columns, 2);
    std::vector<float> identity(query.size()), out(query.size());  // so that out is the matrix of weights
    for (Index r = 0; r < batch * tokens; ++r)
      for (Index h = 0; h < heads; ++h) identity[size(r * columns + h * tokens + r % tokens)] = 1.0F;
    const auto view = [&](const std::vector<float>& m) {
      return adtr::MatrixView<const float>(m.data(), batch * tokens, columns);
    };
    B::attention(one_thread<B>(), {batch,
                                   tokens,
                                   heads,
                                   view(query),
                                   view(key),
                                   view(identity),
                                   {out.data(), batch * tokens, columns},
                                   nullptr,
                                   dropout});
    Index wrong = 0;
    for (Index b = 0; b < batch; ++b)
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < tokens; ++i)
          for (Index j = 0; j < tokens; ++j) {
            const bool kept = dropout.keep(static_cast<std::uint64_t>(((b * heads + h) * tokens + i) * tokens + j));
            const float weight = out[size((b * tokens + i) * columns + h * tokens + j)];
            wrong += kept == (weight > 0.0F) ? 0 : 1;
          }
    CHECK(wrong == 0);
  }
}
