// A kernel of your own: the backend Cpu, but with the cosine distance between a feature and its reconstruction as the
// position score, instead of the norm of their difference.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/core/random.hpp"

using adtr::Index;

// A backend inherits what it does not replace. The new operation is proved on Reference, where it is easy to read …
struct PlainCosine : adtr::Reference<double> {
  static void difference_norm(const Context&, adtr::MatrixView<const double> f, adtr::MatrixView<const double> g,
                              double* score) {
    for (Index u = 0; u < f.rows; ++u) {
      double product = 0.0, f_norm = 0.0, g_norm = 0.0;
      for (Index c = 0; c < f.cols; ++c) {
        product += f.row(u)[c] * g.row(u)[c];
        f_norm += f.row(u)[c] * f.row(u)[c];
        g_norm += g.row(u)[c] * g.row(u)[c];
      }
      score[u] = 1.0 - product / std::sqrt(f_norm * g_norm);
    }
  }
};

// … and then written to be fast: rows in parallel, and sums that the compiler keeps in vector registers.
struct CosineCpu : adtr::Cpu {
  static constexpr const char* name = "cpu with cosine scores";

  static void difference_norm(const Context& context, adtr::MatrixView<const float> f, adtr::MatrixView<const float> g,
                              float* score) {
    context.for_each(f.rows, [&](Index u) {
      constexpr Index lanes = 16;
      float product[lanes]{}, f_norm[lanes]{}, g_norm[lanes]{};
      const float *a = f.row(u), *b = g.row(u);
      for (Index c = 0; c < f.cols; c += lanes)
        for (Index i = 0; i < std::min(lanes, f.cols - c); ++i) {
          product[i] += a[c + i] * b[c + i];
          f_norm[i] += a[c + i] * a[c + i];
          g_norm[i] += b[c + i] * b[c + i];
        }
      for (Index i = 1; i < lanes; ++i) {
        product[0] += product[i];
        f_norm[0] += f_norm[i];
        g_norm[0] += g_norm[i];
      }
      score[u] = 1.0F - product[0] / std::sqrt(f_norm[0] * g_norm[0]);
    });
  }
};
static_assert(adtr::BackendOperations<PlainCosine> && adtr::BackendOperations<CosineCpu>);

int main() {
  constexpr Index rows = 256, channels = 720;
  adtr::RandomStream random(1, 0);
  std::vector<double> f(rows * channels), g(f.size()), exact(rows);
  for (double& v : f) v = random.normal();
  for (double& v : g) v = random.normal();
  const std::vector<float> f32(f.begin(), f.end()), g32(g.begin(), g.end());
  std::vector<float> fast(rows);

  // Model<Net, CosineCpu> and Detector<CosineCpu> call it in the same way.
  PlainCosine::difference_norm(PlainCosine::Context(1), {f.data(), rows, channels}, {g.data(), rows, channels},
                               exact.data());
  CosineCpu::difference_norm(CosineCpu::Context(2), {f32.data(), rows, channels}, {g32.data(), rows, channels},
                             fast.data());
  double apart = 0.0;
  for (Index u = 0; u < rows; ++u) {
    const auto i = static_cast<std::size_t>(u);
    apart = std::max(apart, std::abs(static_cast<double>(fast[i]) - exact[i]));
  }
  std::printf("the fast kernel differs from the plain one by at most %.0e\n", apart);
  return apart < 1e-5 ? 0 : 1;
}
