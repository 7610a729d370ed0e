/// The distance to the nearest token of a bank.
#include "backend/suite.hpp"

using namespace suite;

namespace {

/// The distances of the rows of some images to a bank.
template <class B>
std::vector<typename B::Scalar> distances(const typename B::Context& context,
                                          adtr::MatrixView<const typename B::Scalar> x,
                                          adtr::MatrixView<const typename B::Scalar> tokens) {
  typename B::TokenBank bank;
  B::pack_tokens(context, tokens, bank);
  std::vector<typename B::Scalar> result(size(x.rows));
  B::nearest(context, x, bank, result.data());
  return result;
}

/// Whether each element is within 1e-6 of the expected one, relative to itself.
void check_each(const std::vector<float>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  Index wrong = 0;
  for (std::size_t i = 0; i < actual.size(); ++i)
    wrong += std::abs(static_cast<double>(actual[i]) - expected[i]) <= 1e-6 * expected[i] ? 0 : 1;
  CHECK(wrong == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("nearest", "[backend]", ADTR_BACKENDS) {
  for_each(Shapes<3>{{256, 128, 4000},
                     {70, 128, 700},
                     {1, 128, 600},
                     {20, 64, 300},
                     {33, 37, 1},
                     {13, 1, 300},
                     {5, 5, 15},
                     {7, 33, 16},
                     {100, 16, 17},
                     {9, 720, 70},
                     {3, 401, 513}},
           [&](Index rows, Index inputs, Index tokens) {
             if (!affordable<TestType>(2 * rows * inputs * tokens)) return;
             for (const bool strided : {false, true}) {
               CAPTURE(rows, inputs, tokens, strided);
               const auto run = [&]<class B>(const typename B::Context& context, Images images) {
                 using T = typename B::Scalar;
                 const Rows<T> x(images, rows, inputs, 1, 1.0F, strided), b({}, tokens, inputs, 2, 1.0F, strided);
                 return distances<B>(context, x.in(), b.in());
               };
               check_batch<TestType>(run, 2, 1e-6);
               if constexpr (std::same_as<typename TestType::Scalar, float>)
                 check_each(run.template operator()<TestType>(one_thread<TestType>(), Images{0, 2}),
                            run.template operator()<Oracle>(one_thread<Oracle>(), Images{0, 2}));
             }
           });
}

TEMPLATE_TEST_CASE("nearest: tokens that are much nearer to each other than to 0", "[backend]", ADTR_BACKENDS) {
  constexpr Index inputs = 61, tokens = 333;
  // In floats the scores of all tokens are equal up to rounding. A last token is far away.
  for (const float apart : {1.0F, 1e-2F, 1e-4F, 0.0F}) {
    CAPTURE(apart);
    const auto run = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const auto base = numbers<float>(inputs, 1, 20.0F), noise = numbers<float>(tokens * inputs, 2, apart);
      std::vector<T> b, x;
      for (std::size_t i = 0; i < noise.size(); ++i) b.push_back(base[i % inputs] + noise[i]);
      for (const float v : numbers<float>(inputs, 3, 100.0F)) b.push_back(v);
      x.insert(x.end(), b.begin() + 300 * inputs, b.begin() + 305 * inputs);  // five tokens of the bank
      for (Index i = 0; i < 5 * inputs; ++i) x.push_back(base[size(i % inputs)] + apart * number(4, i));
      return distances<B>(context, {x.data(), 10, inputs}, {b.data(), tokens + 1, inputs});
    };
    const auto actual = check<TestType>(run, 1e-6);
    CHECK(std::vector(actual.begin(), actual.begin() + 5) == std::vector<typename TestType::Scalar>(5));
    CHECK((actual[7] > 0) == (apart > 0.0F));
    check_each(actual, run.template operator()<Oracle>(one_thread<Oracle>()));
  }
}

TEMPLATE_TEST_CASE("nearest: a row that is not a number", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  constexpr Index inputs = 24, tokens = 300;
  auto x = numbers<float>(3 * inputs, 1);
  const auto b = numbers<float>(tokens * inputs, 2);
  const auto before = distances<B>(one_thread<B>(), {x.data(), 3, inputs}, {b.data(), tokens, inputs});
  x[inputs + 5] = std::numeric_limits<float>::quiet_NaN();
  const auto after = distances<B>(one_thread<B>(), {x.data(), 3, inputs}, {b.data(), tokens, inputs});
  CHECK(std::isnan(after[1]));
  CHECK(after[0] == before[0]);
  CHECK(after[2] == before[2]);
}

TEMPLATE_TEST_CASE("pack_tokens: a second bank replaces the first", "[backend]", ADTR_BACKENDS) {
  const auto run = [&]<class B>(const typename B::Context& context) {
    using T = typename B::Scalar;
    const auto b = numbers<T>(60 * 50, 1), x = numbers<T>(4 * 60, 2);
    typename B::TokenBank bank;
    std::vector<T> result;
    for (const auto& [tokens, inputs] : {std::pair<Index, Index>{50, 60}, {50, 59}, {3, 60}, {60, 50}}) {
      B::pack_tokens(context, {b.data(), tokens, inputs}, bank);
      std::vector<T> d(4);
      B::nearest(context, {x.data(), 4, inputs}, bank, d.data());
      result.insert(result.end(), d.begin(), d.end());
    }
    return result;
  };
  check<TestType>(run, 1e-6);
}
