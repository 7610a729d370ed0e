/// Initial weights: Xavier's, and the identity start, which cuts training to minutes.
#pragma once

#include <Eigen/Dense>

#include "adtr/core/random.hpp"
#include "adtr/models/reconstruction.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Xavier-uniform matrices (Glorot & Bengio, 2010), zero biases, unit norms, N(0, 1) embeddings.
template <class T>
struct UsualStart {
  std::uint64_t seed;
  std::uint64_t stream = 0;  ///< the last stream used; each tensor has its own

  void tensor(const std::string& name, T* data, const Shape& shape) {
    RandomStream random(seed, ++stream);
    const auto fill = [&](auto&& value) {
      std::generate_n(data, shape.size(), [&] { return static_cast<T>(value()); });
    };
    if (name.ends_with("_embed")) return fill([&] { return random.normal(); });
    if (shape.rank == 1)
      return fill([&] { return name.find("norm") != name.npos && name.ends_with("weight") ? 1.0 : 0.0; });
    const double limit = std::sqrt(6.0 / static_cast<double>(shape.sizes[0] + shape.sizes[1]));
    fill([&] { return (2.0 * random.uniform() - 1.0) * limit; });
  }
};

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A random orthogonal n×n matrix: Q of a Gaussian matrix, with signs fixed so that its distribution is uniform
/// (Mezzadri, 2007). A template, so that only a program that trains compiles the decomposition.
template <class T = double>
Eigen::MatrixX<T> random_orthogonal(Index n, RandomStream random) {
  Eigen::MatrixX<T> gaussian(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) gaussian(i, j) = random.normal();
  const Eigen::HouseholderQR<Eigen::MatrixX<T>> qr(gaussian);
  Eigen::MatrixX<T> q = qr.householderQ();
  for (Index j = 0; j < n; ++j)
    if (qr.matrixQR()(j, j) < 0) q.col(j) *= T{-1};
  return q;
}

/// Sets W_q = W_k to a random orthogonal matrix, W_v to another and W_o to the transpose of W_v. Leaves the biases
/// alone, which the usual start set to 0.
template <Index C, Index Heads, class T>
void start_attention(const ParametersOf<MultiHeadAttention<C, Heads>, T>& p, std::uint64_t seed, std::uint64_t stream) {
  using Map = Eigen::Map<RowMajor<T>>;
  const Eigen::MatrixXd attend = random_orthogonal(C, RandomStream(seed, stream));
  const Eigen::MatrixXd copy = random_orthogonal(C, RandomStream(seed, stream + 1));
  Map(p.projection(0).weight, C, C) = attend.template cast<T>();
  Map(p.projection(1).weight, C, C) = attend.template cast<T>();
  Map(p.projection(2).weight, C, C) = copy.template cast<T>();
  Map(p.out_proj.weight, C, C) = copy.transpose().template cast<T>();
}

}  // namespace detail

/// The paper's initialisation (assumed): each tensor is drawn from its own random stream.
template <class Transformer, class T>
void initialise(ParametersOf<Transformer, T>& p, std::uint64_t seed) {
  detail::UsualStart<T> start{seed};
  walk_parameters(p, "", start);
}

/// The mean μ of the features and the leading eigenvectors V (columns) of their covariance, at most `count`.
struct PrincipalAxes {
  Eigen::VectorXd mean;
  Eigen::MatrixXd axes;
  double mean_variance = 1.0;  ///< mean of the kept eigenvalues

  /// Computes them from rows (n, C), each channel times its weight if there are weights (C). The covariance is summed
  /// in double, over blocks of rows in fixed order.
  template <class T>
  static PrincipalAxes of(MatrixView<const T> rows, Index count, const Eigen::VectorXd& weights = {}) {
    using Rows = Eigen::Map<const detail::RowMajor<T>, 0, Eigen::OuterStride<>>;
    const Rows x(rows.data, rows.rows, rows.cols, Eigen::OuterStride<>(rows.stride));
    PrincipalAxes result;
    result.mean = Eigen::VectorXd::Zero(rows.cols);
    for (Index r = 0; r < rows.rows; ++r) result.mean += x.row(r).transpose().template cast<double>();
    result.mean /= static_cast<double>(rows.rows);
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(rows.cols, rows.cols);
    constexpr Index block = 1024;
    for (Index r = 0; r < rows.rows; r += block) {
      const Eigen::MatrixXd part =
          (x.middleRows(r, (std::min)(block, rows.rows - r)).template cast<double>().rowwise() -
           result.mean.transpose());
      covariance.selfadjointView<Eigen::Lower>().rankUpdate(part.transpose());
    }
    covariance /= static_cast<double>(rows.rows);
    if (weights.size() > 0) {
      result.mean = result.mean.cwiseProduct(weights);
      covariance = weights.asDiagonal() * covariance * weights.asDiagonal();
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);  // reads the lower half; ascending
    const Index kept = (std::min)({count, rows.cols, std::max<Index>(rows.rows - 1, 1)});
    result.axes = solver.eigenvectors().rightCols(kept).rowwise().reverse();
    result.mean_variance = (std::max)(solver.eigenvalues().tail(kept).mean(), 1e-12);
    return result;
  }
};

/// The identity start: the network begins as a projection onto the principal axes of its features and back, and its
/// attention begins by looking at its own position. If there are fewer axes than channels, the remaining weights of
/// both projections are 0.
template <class Transformer, class T>
void initialise_identity(ParametersOf<Transformer, T>& p, std::uint64_t seed, const PrincipalAxes& principal) {
  constexpr Index C = Transformer::C;
  constexpr Index F = Transformer::features;
  initialise<Transformer, T>(p, seed);
  const double c = std::sqrt(principal.mean_variance);
  const Index kept = principal.axes.cols();
  Eigen::Map<detail::RowMajor<T>> in(p.input_proj.weight, C, F), out(p.output_proj.weight, F, C);
  in.setZero();
  out.setZero();
  in.topRows(kept) = (principal.axes.transpose() / c).template cast<T>();
  out.leftCols(kept) = (principal.axes * c).template cast<T>();
  const Eigen::VectorXd offset = -principal.axes.transpose() * principal.mean / c;
  for (Index i = 0; i < kept; ++i) p.input_proj.bias[i] = static_cast<T>(offset(i));
  for (Index i = 0; i < F; ++i) p.output_proj.bias[i] = static_cast<T>(principal.mean(i));
  std::uint64_t stream = std::uint64_t{1} << 32;  // beyond the streams of the usual start
  const auto attention = [&](auto& a) {
    detail::start_attention<C, Transformer::spec.heads, T>(a, seed, stream);
    stream += 2;
  };
  const auto tenth = [](T* weight, Index count) {
    for (Index i = 0; i < count; ++i) weight[i] *= static_cast<T>(0.1);
  };
  const auto start_layers = [&](auto& layers) {
    for (auto& layer : layers) {
      if constexpr (requires { layer.self_attn; }) attention(layer.self_attn);
      if constexpr (requires { layer.multihead_attn; }) attention(layer.multihead_attn);
      if constexpr (Transformer::spec.mixing == Mixing::convolution) tenth(layer.conv.weight, 9 * C * C);
      tenth(layer.ffn.linear2.weight, Transformer::spec.hidden * C);
    }
  };
  if constexpr (requires { p.query_embed; }) {
    if (p.query_embed != nullptr) std::fill_n(p.query_embed, Transformer::tokens * C, T{0});
    start_layers(p.encoder.layers);
    start_layers(p.decoder.layers);
  } else {
    start_layers(p.layers);
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr
