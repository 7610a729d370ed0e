/// Arguments of backend operations, in addition to maps and matrices.
#pragma once

#include <cmath>
#include <cstdint>

#include "adtr/core/philox.hpp"
#include "adtr/core/view.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// An element-wise function that an operation applies to its result. To add one, add an enumerator here and its
/// function to the switch in each backend's file of the activations: cpu/vector/activation.inl.hpp,
/// eigen/activation.hpp, reference/activation.hpp, cuda/kernels/activation.cuh. A switch that leaves one out does not
/// compile with -Werror=switch, with which adtr's own programs are built.
enum class Activation : std::uint8_t {
  none,   ///< x
  relu,   ///< max(x, 0)
  relu6,  ///< min(max(x, 0), 6)
  silu    ///< x / (1 + exp(−x))
};

/// Applied to a product before it is stored: activation(product + bias + residual).
template <class T>
struct Epilogue {
  const T* bias = nullptr;         ///< one value per column, or null
  MatrixView<const T> residual{};  ///< same shape as the result, or a null view; may be the result itself
  Activation activation = Activation::none;
};

/// A square window that slides over a map. Positions outside the map count as zero. The padding at the bottom and on
/// the right follows from the size of the result.
struct Window {
  Index kernel = 1;
  Index stride = 1;
  Index top = 0;   ///< rows of padding above
  Index left = 0;  ///< columns of padding on the left
};

/// Squeeze-and-excitation (Hu et al., CVPR 2018): x · sigmoid(W₂ act(W₁ mean(x) + b₁) + b₂). The mean is over
/// positions.
template <class T>
struct SqueezeExcite {
  Index squeezed = 0;                ///< S, number of squeezed channels
  const T* reduce_weight = nullptr;  ///< (S, C)
  const T* reduce_bias = nullptr;    ///< (S)
  const T* expand_weight = nullptr;  ///< (C, S)
  const T* expand_bias = nullptr;    ///< (C)
  Activation activation = Activation::silu;
};

/// The MBConv block (Sandler et al., CVPR 2018): x → expand 1×1 → depthwise k×k → squeeze-and-excitation → project 1×1,
/// optionally + x. The activation follows the expansion and the depthwise convolution.
template <class T, class Packed>
struct InvertedResidual {
  Index channels = 0;              ///< C, between expansion and projection
  const Packed* expand = nullptr;  ///< (inputs, C), or null for no expansion
  const T* expand_bias = nullptr;
  Window window{};
  const T* depthwise = nullptr;  ///< (k·k, C)
  const T* depthwise_bias = nullptr;
  Activation activation = Activation::silu;
  SqueezeExcite<T> excite{};        ///< none if squeezed = 0
  const Packed* project = nullptr;  ///< (C, outputs)
  const T* project_bias = nullptr;
  bool residual = false;  ///< adds x to the result
};

/// The sizes that determine how much scratch memory an inverted residual block needs.
struct InvertedResidualShape {
  Index batch, in_height, in_width, out_height, out_width, kernel, stride, channels, outputs, squeezed;
  bool expands;
};

/// Multi-head attention on projected queries, keys and values: for every image and head,
/// out = dropout(softmax(q·kᵀ / √d))·v with d channels per head. All matrices have batch·tokens rows; head h owns
/// columns [h·d, (h+1)·d).
template <class T>
struct Attention {
  Index batch = 0;
  Index tokens = 0;
  Index heads = 0;
  MatrixView<const T> query, key, value;
  MatrixView<T> out;
  T* log_sum_exp = nullptr;  ///< (batch, heads, tokens), kept for the backward pass; null in inference
  Dropout dropout{};         ///< weight (i, j) is element ((image·heads + head)·tokens + i)·tokens + j
};

/// The gradients of attention. The forward pass' Attention, with its results, is a separate argument.
template <class T>
struct AttentionGradient {
  MatrixView<const T> out;          ///< gradient of Attention::out
  MatrixView<T> query, key, value;  ///< gradients to write
};

/// One step of AdamW (Loshchilov & Hutter, ICLR 2019) with PyTorch's arithmetic:
/// p ← p(1 − lr·wd); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
struct AdamW {
  double learning_rate = 1e-4;
  double weight_decay = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  Index step = 1;                        ///< t, starts at 1
  double clip = 0.0;                     ///< maximum norm: larger gradients are scaled down to it; 0 for none
  const double* squared_norm = nullptr;  ///< of the gradient, in the backend's memory; read if clip > 0

  /// The factor that clips the gradient, for backends whose memory is the host's.
  [[nodiscard]] double gradient_scale() const {
    if (!(clip > 0.0)) return 1.0;
    const double norm = std::sqrt(*squared_norm);
    return norm > clip ? clip / norm : 1.0;
  }
};

/// The constants of one step, for backends that compute in float.
struct AdamWFactors {
  float beta1, rest1;        ///< β₁, 1 − β₁
  float beta2, rest2;        ///< β₂, 1 − β₂
  float decay;               ///< 1 − lr·wd
  float rate;                ///< lr / (1 − β₁ᵗ)
  float inverse_correction;  ///< 1 / √(1 − β₂ᵗ)
  float epsilon;

  explicit AdamWFactors(const AdamW& a)
      : beta1(static_cast<float>(a.beta1)),
        rest1(static_cast<float>(1.0 - a.beta1)),
        beta2(static_cast<float>(a.beta2)),
        rest2(static_cast<float>(1.0 - a.beta2)),
        decay(static_cast<float>(1.0 - a.learning_rate * a.weight_decay)),
        rate(static_cast<float>(a.learning_rate / (1.0 - std::pow(a.beta1, static_cast<double>(a.step))))),
        inverse_correction(static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(a.beta2, static_cast<double>(a.step))))),
        epsilon(static_cast<float>(a.epsilon)) {}
};

}  // namespace ADTR_ABI
}  // namespace adtr
