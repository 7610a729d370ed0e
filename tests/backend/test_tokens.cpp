/// Row-wise and element-wise operations, losses, the optimiser.
#include "backend/suite.hpp"

using namespace suite;

namespace {

/// Rows of an image, columns.
const Shapes<2> shapes{{256, 256}, {64, 720}, {10, 36}, {7, 5}, {1, 1}, {33, 100}, {3, 17}};

template <class T>
std::vector<T> operator+(std::vector<T> a, const std::vector<T>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEMPLATE_TEST_CASE("add_positions and accumulate_positions", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    for (const bool strided : {false, true}) {
      CAPTURE(tokens, columns, strided);
      const auto add = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        const Rows<T> x(images, tokens, columns, 1, 1.0F, strided);
        const Rows<T> p({}, tokens, columns, 2);
        Rows<T> y(images, tokens, columns, 3, 1.0F, strided);
        B::add_positions(context, x.in(), p.in(), y.view);
        return y.memory;
      };
      check_batch<TestType>(add, 3, 1e-7);
      const auto accumulate = [&]<class B>(const typename B::Context& context) {
        using T = typename B::Scalar;
        const Rows<T> dy({0, 5}, tokens, columns, 1, 1.0F, strided);
        Rows<T> dp({}, tokens, columns, 2);
        B::accumulate_positions(context, dy.in(), dp.view);
        return dp.memory;
      };
      check<TestType>(accumulate, 1e-6);
    }
  });
}

TEMPLATE_TEST_CASE("layer_norm", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    for (const float scale : {1.0F, 100.0F})
      for (const bool strided : {false, true}) {
        CAPTURE(tokens, columns, scale, strided);
        const auto run = [&]<class B>(const typename B::Context& context, Images images) {
          using T = typename B::Scalar;
          const Rows<T> x(images, tokens, columns, 1, scale, strided);
          const auto gamma = numbers<T>(columns, 2), beta = numbers<T>(columns, 3);
          Rows<T> y(images, tokens, columns, 4, 1.0F, strided);
          B::layer_norm(context, x.in(), gamma.data(), beta.data(), static_cast<T>(1e-5F), y.view, nullptr);
          return y.memory;
        };
        check_batch<TestType>(run, 2, 2e-6);
        const auto statistics = [&]<class B>(const typename B::Context& context, Images images) {
          using T = typename B::Scalar;
          const Rows<T> x(images, tokens, columns, 1, scale, strided);
          const auto gamma = numbers<T>(columns, 2), beta = numbers<T>(columns, 3);
          Rows<T> y(images, tokens, columns, 4);
          std::vector<T> both(size(2 * images.count * tokens));
          B::layer_norm(context, x.in(), gamma.data(), beta.data(), static_cast<T>(1e-5F), y.view, both.data());
          return both;
        };
        if (columns > 1) check_batch<TestType>(statistics, 2, 2e-6);
      }
  });
}

TEMPLATE_TEST_CASE("layer_norm: a constant row, and one far from zero", "[backend]", ADTR_BACKENDS) {
  const auto run = [&]<class B>(const typename B::Context& context) {
    using T = typename B::Scalar;
    auto x = numbers<T>(3 * 40, 1);
    std::fill_n(x.begin(), 40, T{3});
    for (std::size_t c = 80; c < 120; ++c) x[c] = static_cast<T>(static_cast<float>(x[c]) + 1000.0F);
    const std::vector<T> gamma(40, T{1}), beta(40, T{0});
    std::vector<T> y(x.size());
    B::layer_norm(context, {x.data(), 3, 40}, gamma.data(), beta.data(), static_cast<T>(1e-5F), {y.data(), 3, 40},
                  nullptr);
    return y;
  };
  const auto y = check<TestType>(run, 2e-4);  // the mean of the last row is known to 1e-4 at best
  for (std::size_t c = 0; c < 40; ++c) CHECK(std::abs(y[c]) < 1e-3F);
}

TEMPLATE_TEST_CASE("layer_norm_backward", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    for (const bool in_place : {false, true}) {
      CAPTURE(tokens, columns, in_place);
      if (columns == 1) continue;  // the gradient is zero except for rounding
      const auto statistics_of = [columns]<class T>(const Rows<T>& x) {
        std::vector<T> statistics(size(2 * x.view.rows)), y(size(x.view.rows * columns)), ones(size(columns), T{1});
        adtr::Reference<T>::layer_norm(adtr::reference::Context(), x.in(), ones.data(), ones.data(),
                                       static_cast<T>(1e-5F), {y.data(), x.view.rows, columns}, statistics.data());
        return statistics;
      };
      const auto dx_of = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        const Rows<T> x(images, tokens, columns, 1, 3.0F, !in_place);
        Rows<T> dy(images, tokens, columns, 2, 1.0F, !in_place);
        Rows<T> dx(images, tokens, columns, 3, 1.0F, !in_place);
        const auto gamma = numbers<T>(columns, 4);
        std::vector<T> dgamma(size(columns)), dbeta(size(columns));
        B::layer_norm_backward(context, x.in(), gamma.data(), statistics_of(x).data(), dy.in(),
                               in_place ? dy.view : dx.view, dgamma.data(), dbeta.data());
        return in_place ? dy.memory : dx.memory;
      };
      check_batch<TestType>(dx_of, 2, 5e-6);
      const auto parameters = [&]<class B>(const typename B::Context& context) {
        using T = typename B::Scalar;
        const Rows<T> x({0, 3}, tokens, columns, 1, 3.0F);
        const Rows<T> dy({0, 3}, tokens, columns, 2);
        Rows<T> dx({0, 3}, tokens, columns, 3);
        const auto gamma = numbers<T>(columns, 4);
        auto dgamma = numbers<T>(columns, 5), dbeta = numbers<T>(columns, 6);
        B::layer_norm_backward(context, x.in(), gamma.data(), statistics_of(x).data(), dy.in(), dx.view, dgamma.data(),
                               dbeta.data());
        return dgamma + dbeta;
      };
      check<TestType>(parameters, 5e-6);
    }
  });
}

TEMPLATE_TEST_CASE("dropout keeps exactly the elements that Dropout selects", "[backend]", ADTR_BACKENDS) {
  using B = TestType;
  for_each(shapes, [&](Index rows, Index columns) {
    for (const adtr::Dropout& dropout : {adtr::Dropout{0.1F, 5, 0, 1}, adtr::Dropout{0.5F, 5, 9, 1},
                                         adtr::Dropout{0.99F, std::uint64_t{1} << 40, 3, 77}, adtr::Dropout{}}) {
      const std::vector<float> ones(size(rows * columns), 1.0F);
      std::vector<float> y(ones.size());
      B::dropout(one_thread<B>(), {ones.data(), rows, columns}, dropout, {}, {y.data(), rows, columns});
      Index wrong = 0;
      for (std::size_t i = 0; i < y.size(); ++i)
        wrong += y[i] == (dropout.keep(i) ? Approx(1.0 / (1.0 - static_cast<double>(dropout.rate))).epsilon(1e-6)
                                          : Approx(0.0).margin(0.0))
                     ? 0
                     : 1;
      CAPTURE(rows, columns, dropout.rate);
      CHECK(wrong == 0);
    }
  });
}

TEMPLATE_TEST_CASE("dropout with and without residual, in place and not", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index rows, Index columns) {
    for (const bool in_place : {false, true})
      for (const bool with_residual : {false, true}) {
        CAPTURE(rows, columns, in_place, with_residual);
        const auto run = [&]<class B>(const typename B::Context& context) {
          using T = typename B::Scalar;
          Rows<T> x({}, rows, columns, 1, 1.0F, true);
          Rows<T> y({}, rows, columns, 2, 1.0F, true);
          const Rows<T> residual({}, rows, columns, 3, 1.0F, true);
          B::dropout(context, x.in(), {0.25F, 1, 2, 3}, with_residual ? residual.in() : adtr::MatrixView<const T>{},
                     in_place ? x.view : y.view);
          return x.memory + y.memory;
        };
        check<TestType>(run, 1e-6);
      }
  });
}

TEMPLATE_TEST_CASE("relu_backward and accumulate", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index rows, Index columns) {
    CAPTURE(rows, columns);
    const auto relu = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      Rows<T> h({}, rows, columns, 1, 1.0F, true);
      h.view.row(0)[0] = T{0};
      Rows<T> dh({}, rows, columns, 2, 1.0F, true);
      B::relu_backward(context, h.in(), static_cast<T>(1.25F), dh.view);
      return dh.memory;
    };
    check<TestType>(relu, 1e-7);
    const auto accumulate = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const Rows<T> x({}, rows, columns, 1, 1.0F, true);
      Rows<T> y({}, rows, columns, 2, 1.0F, true);
      B::accumulate(context, x.in(), y.view);
      return y.memory;
    };
    check<TestType>(accumulate, 1e-7);
  });
}

TEMPLATE_TEST_CASE("difference_norm", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    for (const bool strided : {false, true}) {
      CAPTURE(tokens, columns, strided);
      const auto run = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        const Rows<T> f(images, tokens, columns, 1, 1.0F, strided), g(images, tokens, columns, 2, 1.0F, strided);
        std::vector<T> s(size(images.count * tokens));
        B::difference_norm(context, f.in(), g.in(), s.data());
        return s;
      };
      check_batch<TestType>(run, 3, 1e-6);
    }
  });
}

TEMPLATE_TEST_CASE("cosine_distance", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    // Unrelated rows, and rows that are nearly parallel, whose distance is about 1e-6: 1 − cos would lose it in floats.
    for (const float apart : {1.0F, 1e-2F})
      for (const bool strided : {false, true}) {
        if (columns == 1) continue;  // all rows are parallel or opposite
        CAPTURE(tokens, columns, apart, strided);
        const auto run = [&]<class B>(const typename B::Context& context, Images images) {
          using T = typename B::Scalar;
          const Rows<T> f(images, tokens, columns, 1, 1.0F, strided);
          Rows<T> g(images, tokens, columns, 2, apart, strided);
          if (apart < 1.0F)
            for (std::size_t i = 0; i < g.memory.size(); ++i)  // a float, so that all backends get the same numbers
              g.memory[i] = static_cast<float>(g.memory[i]) + 4.0F * static_cast<float>(f.memory[i]);
          std::vector<T> s(size(images.count * tokens));
          B::cosine_distance(context, f.in(), g.in(), s.data());
          return s;
        };
        check_batch<TestType>(run, 3, apart < 1.0F ? 1e-4 : 1e-6);
      }
  });
}

TEMPLATE_TEST_CASE("cosine_distance of rows that are 0, parallel, opposite and orthogonal", "[backend]",
                   ADTR_BACKENDS) {
  using B = TestType;
  constexpr Index columns = 37;
  const auto a = numbers<float>(columns, 1);
  std::vector<float> f, g;
  const auto add = [&](float of_f, float of_g) {
    for (const float x : a) f.push_back(of_f * x);
    for (const float x : a) g.push_back(of_g * x);
  };
  add(0.0F, 0.0F);
  add(0.0F, 1.0F);
  add(3.0F, 0.0F);
  add(1.0F, 1.0F);
  add(1.0F, 4.0F);
  add(2.0F, -2.0F);
  add(0.0F, 0.0F);
  f[6 * columns + 3] = 5.0F;
  g[6 * columns + 4] = 0.25F;
  std::vector<float> s(7);
  B::cosine_distance(one_thread<B>(), {f.data(), 7, columns}, {g.data(), 7, columns}, s.data());
  CHECK(std::vector(s.begin(), s.begin() + 5) == std::vector{0.0F, 1.0F, 1.0F, 0.0F, 0.0F});
  CHECK(s[5] == Approx(2.0).epsilon(1e-6));
  CHECK(s[6] == Approx(1.0).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("norm_gradient and squared_norm", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index rows, Index columns) {
    CAPTURE(rows, columns);
    const auto gradient = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const Rows<T> f({}, rows, columns, 1, 1.0F, true), g({}, rows, columns, 2, 1.0F, true);
      Rows<T> dg({}, rows, columns, 3, 1.0F, true);
      std::vector<double> sum(1);
      B::norm_gradient(context, f.in(), g.in(), static_cast<T>(0.125F), dg.view, sum.data());
      return dg.memory;
    };
    check<TestType>(gradient, 1e-6);
    const auto sum = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const Rows<T> f({}, rows, columns, 1, 1.0F, true), g({}, rows, columns, 2, 1.0F, true);
      Rows<T> dg({}, rows, columns, 3, 1.0F, true);
      std::vector<double> total{3.5};  // the initial value of the sum
      B::norm_gradient(context, f.in(), g.in(), static_cast<T>(0.125F), dg.view, total.data());
      return std::vector{static_cast<T>(total.front())};
    };
    check<TestType>(sum, 1e-6);
  });
  for (const Index n : {1, 7, 1000, 40001}) {
    CAPTURE(n);
    const auto run = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const auto x = numbers<T>(n, 1, 3.0F);
      std::vector<double> sum{0.25};
      B::squared_norm(context, x.data(), n, sum.data());
      return std::vector{static_cast<T>(sum.front())};
    };
    check<TestType>(run, 1e-6);
  }
}

TEMPLATE_TEST_CASE("mean_difference and sign_gradient", "[backend]", ADTR_BACKENDS) {
  for_each(shapes, [&](Index tokens, Index columns) {
    CAPTURE(tokens, columns);
    for (const bool strided : {false, true}) {
      const auto mean = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        const Rows<T> f(images, tokens, columns, 1, 1.0F, strided), g(images, tokens, columns, 2, 1.0F, strided);
        std::vector<T> m(size(images.count * tokens));
        B::mean_difference(context, f.in(), g.in(), m.data());
        return m;
      };
      check_batch<TestType>(mean, 3, 1e-6);
      const auto sign = [&]<class B>(const typename B::Context& context, Images images) {
        using T = typename B::Scalar;
        const Index rows = images.count * tokens;
        const Rows<T> f(images, tokens, columns, 1, 1.0F, strided);
        Rows<T> g(images, tokens, columns, 2, 1.0F, strided), dg(images, tokens, columns, 3, 1.0F, strided);
        for (Index r = 0; r < rows; ++r) g.view.row(r)[columns / 2] = f.view.row(r)[columns / 2];
        const auto w = numbers<T>(rows, 4, 1.0F, images.first * tokens);
        B::sign_gradient(context, f.in(), g.in(), w.data(), dg.view);
        for (Index r = 0; r < rows; ++r) CHECK(dg.view.row(r)[columns / 2] == T{0});
        return dg.memory;
      };
      check_batch<TestType>(sign, 3, 0.0);
    }
  });
}

TEMPLATE_TEST_CASE("anomaly_weights", "[backend]", ADTR_BACKENDS) {
  const auto loss = GENERATE(adtr::AnomalyLoss{false, 1, 0.003, 0.5, 7}, adtr::AnomalyLoss{true, 1, 0.003, 0.5, 7},
                             adtr::AnomalyLoss{true, 20, 0.3, 1.0, 7}, adtr::AnomalyLoss{true, 400, 0.003, 1.0, 7});
  CAPTURE(loss.by_label, loss.top);
  for_each(Shapes<2>{{1, 1}, {5, 16}, {130, 9}, {2, 300}}, [&](Index images, Index tokens) {
    CAPTURE(images, tokens);
    // All weights, then the loss. The second image is normal, the third all anomalous; some distances are equal.
    const auto run = [&]<class B>(const typename B::Context& context) {
      using T = typename B::Scalar;
      const Index count = images * tokens;
      auto m = numbers<T>(count, 1, 3.0F), y = numbers<T>(count, 2);
      for (std::size_t i = 0; i < size(count); ++i) {
        const auto image = static_cast<Index>(i) / tokens;
        m[i] = i % 5 == 4 ? m[i - 1] : std::abs(m[i]);
        y[i] = image == 2 || (image != 1 && y[i] > T(0.9)) ? T{1} : T{0};
      }
      std::vector<T> w(size(count), T{77});
      std::vector<double> sum{0.125};
      B::anomaly_weights(context, loss, {y.data(), images, tokens}, {m.data(), images, tokens},
                         {w.data(), images, tokens}, sum.data());
      w.push_back(static_cast<T>(sum.front()));
      return w;
    };
    check<TestType>(run, 1e-6);
  });
}

TEMPLATE_TEST_CASE("adamw", "[backend]", ADTR_BACKENDS) {
  // Without clipping, with clipping that has no effect, and with one that has.
  for (const Index n : {1, 7, 1000, 40001})
    for (const double clip : {0.0, 10.0, 0.3}) {
      CAPTURE(n, clip);
      const auto steps = [&](double decay) {
        return [n, clip, decay]<class B>(const typename B::Context& context) {
          using T = typename B::Scalar;
          auto p = numbers<T>(n, 1), m = std::vector<T>(size(n)), v = m;
          for (Index step = 1; step <= 3; ++step) {
            const auto g = numbers<T>(n, 1 + static_cast<std::uint64_t>(step), 2.0F);
            const std::vector<double> squared_norm{4.0};
            B::adamw(context, {1e-2, decay, 0.9, 0.999, 1e-8, step, clip, squared_norm.data()}, n, p.data(), g.data(),
                     m.data(), v.data());
          }
          return std::array{p, m, v};
        };
      };
      for (std::size_t which = 0; which < 3; ++which) {
        const auto run = [&, which]<class B>(const typename B::Context& context) {
          return steps(0.5).template operator()<B>(context)[which];
        };
        check<TestType>(run, 2e-6);
      }
    }
}
