/// The memory bank: tokens of good images in a model. The distance to the nearest of them is a score of its own, as in
/// PatchCore (Roth et al., CVPR 2022), and sharpens the score of the reconstruction.
#pragma once

#include <vector>

#include "adtr/backend/backend.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A bank as model files hold it. A token of a bank is the projection of a position's standardised features onto D
/// axes.
template <class T>
struct BankTensors {
  Index channels = 0;      ///< C, those of the features
  Index axes_count = 0;    ///< D
  Index tokens_count = 0;  ///< N; 0: there is no bank
  std::vector<T> axes;     ///< (D, C)
  std::vector<T> tokens;   ///< (N, D)

  [[nodiscard]] bool empty() const { return tokens_count == 0; }
  [[nodiscard]] MatrixView<const T> axes_view() const { return {axes.data(), axes_count, channels}; }
  [[nodiscard]] MatrixView<const T> tokens_view() const { return {tokens.data(), tokens_count, axes_count}; }
};

/// A bank on a backend.
template <Backend B>
class MemoryBank {
 public:
  using Scalar = typename B::Scalar;

  MemoryBank(const typename B::Context& context, const BankTensors<Scalar>& bank) : axes_count_(bank.axes_count) {
    on_backend(context, bank.axes_view(), [&](MatrixIn<B> axes) { B::pack(context, axes, axes_); });
    on_backend(context, bank.tokens_view(), [&](MatrixIn<B> tokens) { B::pack_tokens(context, tokens, tokens_); });
  }

  /// D, the length of a token.
  [[nodiscard]] Index axes() const { return axes_count_; }

  /// Writes the projections (rows, D) of standardised features (rows, C).
  void project(const typename B::Context& context, MatrixIn<B> features, MatrixOut<B> projections) const {
    B::multiply(context, features, axes_, Epilogue<Scalar>{}, projections);
  }

  /// Writes the distances (rows) of standardised features (rows, C) to the nearest token. `projections` (rows, D) is
  /// working memory.
  void distances(const typename B::Context& context, MatrixIn<B> features, MatrixOut<B> projections,
                 Scalar* distances) const {
    project(context, features, projections);
    B::nearest(context, projections, tokens_, distances);
  }

 private:
  template <class F>
  static void on_backend(const typename B::Context& context, MatrixView<const Scalar> host, F&& use) {
    if constexpr (B::on_host) {
      use(host);
    } else {
      const Index size = host.rows * host.cols;
      typename B::Memory memory(size);
      B::upload(context, host.data, size, memory.data());
      use(MatrixIn<B>(memory.data(), host.rows, host.cols));
      B::wait(context);
    }
  }

  Index axes_count_;
  typename B::Packed axes_;
  typename B::TokenBank tokens_;
};

}  // namespace ADTR_ABI
}  // namespace adtr
