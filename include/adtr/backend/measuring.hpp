/// The backend that computes nothing. A pass on it, with a counting Arena, tells how much memory the same pass needs on
/// backend B; and the concept `Layer` is checked with it.
#pragma once

#include <type_traits>

#include "adtr/backend/backend.hpp"
#include "adtr/core/arena.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {
template <class B>
struct ScalarOf {
  using type = typename B::Scalar;
};
template <>
struct ScalarOf<void> {
  using type = float;
};

/// Stands for n elements of memory.
template <class T>
class UnbackedMemory {
 public:
  UnbackedMemory() = default;
  explicit UnbackedMemory(Index n) : size_(n) {}
  [[nodiscard]] T* data() const { return no_memory<T>(); }
  [[nodiscard]] Index size() const { return size_; }

 private:
  Index size_ = 0;
};
}  // namespace detail

/// All operations of `BackendOperations`, none of which reads or writes anything. The scratch memory of MBConv is that
/// of B; with B = void, for checks at compile time, it is 0.
template <class B = void>
struct Measuring {
  using Scalar = typename detail::ScalarOf<B>::type;
  static constexpr const char* name = "measuring";
  static constexpr bool on_host = true;
  struct Context {
    Context() = default;
    explicit Context(int) {}
  };
  struct Packed {};
  struct TokenBank {};
  using Memory = detail::UnbackedMemory<Scalar>;
  using Sums = detail::UnbackedMemory<double>;
  using Staging = detail::UnbackedMemory<Scalar>;
  struct Event {};
  struct Recording {};

  static Index inverted_residual_scratch([[maybe_unused]] const InvertedResidualShape& shape) {
    if constexpr (std::is_void_v<B>)
      return 0;
    else
      return B::inverted_residual_scratch(shape);
  }

 private:
  using In = MatrixView<const Scalar>;
  using Out = MatrixView<Scalar>;
  using Map = MapView<const Scalar>;
  using MapOut = MapView<Scalar>;
  using Read = const Scalar*;
  using Write = Scalar*;
  using C = const Context&;

 public:
  static void copy(C, In, Out) {}
  template <class T>
  static void zero(C, T*, Index) {}
  static void upload(C, Read, Index, Write) {}
  template <class T>
  static void download(C, const T*, Index, T*) {}
  static void wait(C) {}
  static void record(C, Event&) {}
  static void wait(C, const Event&) {}
  static void pack(C, In, Packed&) {}
  static void pack_transposed(C, In, Packed&) {}
  static void multiply(C, In, const Packed&, const Epilogue<Scalar>&, Out) {}
  static void accumulate_weight_gradient(C, In, In, Out) {}
  static void accumulate_column_sums(C, In, Write) {}
  static void convolve(C, Map, const Window&, const Packed&, const Epilogue<Scalar>&, MapOut) {}
  static void depthwise(C, Map, const Window&, Read, Read, Activation, MapOut) {}
  static void squeeze_excite(C, MapOut, const SqueezeExcite<Scalar>&, Write) {}
  static void inverted_residual(C, Map, const InvertedResidual<Scalar, Packed>&, Write, MapOut) {}
  static void max_pool(C, Map, const Window&, MapOut) {}
  static void resize(C, Map, MapOut) {}
  static void resize_area(C, Map, MapOut) {}
  static void standardise(C, MapOut, Read, Read) {}
  static void add_positions(C, In, In, Out) {}
  static void accumulate_positions(C, In, Out) {}
  static void attention(C, const Attention<Scalar>&) {}
  static void attention_backward(C, const Attention<Scalar>&, const AttentionGradient<Scalar>&) {}
  static void layer_norm(C, In, Read, Read, Scalar, Out, Write) {}
  static void layer_norm_backward(C, In, Read, Read, In, Out, Write, Write) {}
  static void dropout(C, In, const Dropout&, In, Out) {}
  static void relu_backward(C, In, Scalar, Out) {}
  static void accumulate(C, In, Out) {}
  static void difference_norm(C, In, In, Write) {}
  static void cosine_distance(C, In, In, Write) {}
  static void pack_tokens(C, In, TokenBank&) {}
  static void nearest(C, In, const TokenBank&, Write) {}
  static void norm_gradient(C, In, In, Scalar, Out, double*) {}
  static void mean_difference(C, In, In, Write) {}
  static void sign_gradient(C, In, In, Read, Out) {}
  static void anomaly_weights(C, const AnomalyLoss&, In, In, Out, double*) {}
  static void squared_norm(C, Read, Index, double*) {}
  static void adamw(C, const AdamW&, Index, Write, Read, Write, Write) {}
};

namespace detail {
template <class B>
inline constexpr bool is_measuring = false;
template <class B>
inline constexpr bool is_measuring<Measuring<B>> = true;
}  // namespace detail

/// Runs `loop`, a layer's own loop over memory, where the memory is the host's. On Measuring, behind whose addresses
/// there is no memory, it does nothing.
template <class B, class F>
void in_host_memory(F&& loop) {
  static_assert(B::on_host, "a layer that reads or writes memory by itself needs a backend in the host's memory");
  if constexpr (!detail::is_measuring<B>) loop();
}

}  // namespace ADTR_ABI
}  // namespace adtr
