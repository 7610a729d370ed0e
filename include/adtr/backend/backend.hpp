/// What a backend is: an empty policy whose static functions do the arithmetic. Layers call only these.
///
/// Backends are `Reference<double>` and `Reference<float>` (plain loops, the oracle), `EigenBackend` (portable), `Cpu`
/// (SIMD) and `Cuda` (a GPU). Every function takes the backend's Context first: what it runs on (threads, a stream).
/// Unless a function says otherwise, all pointers are into the backend's memory (B::Memory, zero at first; the
/// program's own where B::on_host), and `sum` to one of B::Sums, doubles in it that are zero at first; results are
/// overwritten, views do not overlap, and the same input gives the same bits for any number of threads and whatever
/// else is in the batch. B::Staging is memory of the host's for both ends of a transfer, and a B::Recording runs rows
/// of operations that are asked for again and again.
///
/// | operation | result |
/// |---|---|
/// | copy(x, y) | y = x |
/// | zero(x, n) | x = 0; of Memory or of Sums |
/// | upload(host, n, x), download(x, n, host) | n numbers from and to the host's memory; see wait |
/// | wait() | returns when all that was asked for is done; `host` above must stay until then |
/// | mark(mark), wait(mark) | the latter returns when all that was asked for before the former is done |
/// | pack(w (N,K)) | w in the layout that multiply(x, ·) wants for x·wᵀ |
/// | pack_transposed(w (N,K)) | the same for x·w |
/// | multiply(a (M,K), packed, epilogue, c (M,N)) | c = activation(a·b + bias + residual) |
/// | accumulate_weight_gradient(dy (M,N), x (M,K), dw (N,K)) | dw += dyᵀ·x |
/// | accumulate_column_sums(a, sums) | sums[j] += Σᵢ a[i,j] |
/// | convolve(x, window, packed (N, k·k·C), epilogue, y) | dense convolution, columns of w in (ky, kx, c) order |
/// | depthwise(x, window, w (k·k, C), bias, activation, y) | one filter a channel |
/// | squeeze_excite(x, SqueezeExcite, scratch) | x scaled in place; scratch holds batch·(2C + S) elements |
/// | inverted_residual(x, InvertedResidual, scratch, y) | MBConv; scratch: inverted_residual_scratch(shape) elements |
/// | max_pool(x, window, y) | maximum over the window; outside counts as −∞ |
/// | resize(x, y) | bilinear, corners aligned |
/// | standardise(x, mean, inverse_std) | x = (x − mean)·inverse_std per channel, in place |
/// | add_positions(x (B·T, C), p (T, C), y) | y = x + p, for every image |
/// | accumulate_positions(dy (B·T, C), dp (T, C)) | dp += Σ over images of dy |
/// | attention, attention_backward | see Attention, AttentionGradient |
/// | layer_norm(x, gamma, beta, eps, y, statistics) | rows normalised; statistics (rows, 2) = mean, 1/σ, or null |
/// | layer_norm_backward(x, gamma, statistics, dy, dx, dgamma, dbeta) | dx written, dgamma and dbeta accumulated |
/// | dropout(x, Dropout, residual, y) | y = residual + mask·x/(1−rate); residual may be null, y may be x |
/// | relu_backward(h, scale, dh) | dh = h > 0 ? dh·scale : 0 |
/// | accumulate(x, y) | y += x |
/// | difference_norm(f, g, s) | s[u] = ‖f(u) − g(u)‖₂ |
/// | norm_gradient(f, g, scale, dg, sum) | dg = scale·(g − f); *sum += Σ (g − f)² |
/// | mean_difference(f, g, m) | m[u] = mean over channels of abs(f(u) − g(u)) |
/// | sign_gradient(f, g, w, dg) | dg(u) = w[u]·sign(g(u) − f(u)); 0 where equal |
/// | anomaly_weights(AnomalyLoss, y, m, w, sum) | all (images, T): marks y and mean differences m to weights w of
/// sign_gradient; |   | *sum += the loss | | squared_norm(x, n, sum) | *sum += Σ x², for gradient clipping | |
/// adamw(AdamW, n, p, g, m, v) | one step over n parameters |
#pragma once

#include <concepts>

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/arguments.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// All that a backend has. For those who write one: `static_assert(adtr::BackendOperations<Mine>)` lists what is
/// missing.
template <class B>
concept BackendOperations =
    requires(const typename B::Context& context, typename B::Packed& packed, MatrixView<const typename B::Scalar> in,
             MatrixView<typename B::Scalar> out, MapView<const typename B::Scalar> map_in,
             MapView<typename B::Scalar> map_out, const typename B::Scalar* read, typename B::Scalar* write,
             typename B::Scalar number, Epilogue<typename B::Scalar> epilogue, Attention<typename B::Scalar> attention,
             AttentionGradient<typename B::Scalar> attention_gradient, SqueezeExcite<typename B::Scalar> squeeze_excite,
             InvertedResidual<typename B::Scalar, typename B::Packed> inverted_residual,
             InvertedResidualShape inverted_residual_shape, Window window, Activation activation, Dropout dropout,
             AdamW adamw, AnomalyLoss anomaly_loss, double* sum, typename B::Mark& mark, Index n) {
  requires std::floating_point<typename B::Scalar>;
  { B::name } -> std::convertible_to<const char*>;
  requires std::constructible_from<typename B::Context, int>;
  requires std::constructible_from<typename B::Memory, Index>;
  requires std::constructible_from<typename B::Sums, Index>;
  { B::on_host } -> std::convertible_to<bool>;
  B::copy(context, in, out);
  B::zero(context, write, n);
  B::upload(context, read, n, write);
  B::download(context, read, n, write);
  B::wait(context);
  B::mark(context, mark);
  B::wait(context, mark);
  B::zero(context, sum, n);
  B::download(context, static_cast<const double*>(sum), n, sum);
  requires std::constructible_from<typename B::Staging, Index>;
  requires std::default_initializable<typename B::Recording>;
  B::pack(context, in, packed);
  B::pack_transposed(context, in, packed);
  B::multiply(context, in, packed, epilogue, out);
  B::accumulate_weight_gradient(context, in, in, out);
  B::accumulate_column_sums(context, in, write);
  B::convolve(context, map_in, window, packed, epilogue, map_out);
  B::depthwise(context, map_in, window, read, read, activation, map_out);
  B::squeeze_excite(context, map_out, squeeze_excite, write);
  B::inverted_residual(context, map_in, inverted_residual, write, map_out);
  { B::inverted_residual_scratch(inverted_residual_shape) } -> std::same_as<Index>;
  B::max_pool(context, map_in, window, map_out);
  B::resize(context, map_in, map_out);
  B::standardise(context, map_out, read, read);
  B::add_positions(context, in, in, out);
  B::accumulate_positions(context, in, out);
  B::attention(context, attention);
  B::attention_backward(context, attention, attention_gradient);
  B::layer_norm(context, in, read, read, number, out, write);
  B::layer_norm_backward(context, in, read, read, in, out, write, write);
  B::dropout(context, in, dropout, in, out);
  B::relu_backward(context, in, number, out);
  B::accumulate(context, in, out);
  B::difference_norm(context, in, in, write);
  B::norm_gradient(context, in, in, number, out, sum);
  B::mean_difference(context, in, in, write);
  B::sign_gradient(context, in, in, read, out);
  B::anomaly_weights(context, anomaly_loss, in, in, out, sum);
  B::squared_norm(context, read, n, sum);
  B::adamw(context, adamw, n, write, read, write, write);
};

/// The same as a value, of which a compiler says that it is false and no more.
template <class B>
inline constexpr bool is_a_backend_such_as_adtr_Cpu = BackendOperations<B>;

template <class B>
concept Backend = is_a_backend_such_as_adtr_Cpu<B>;  // static_assert(adtr::BackendOperations<B>) says what is missing

/// What operations on backend B read and write.
template <Backend B>
using MatrixIn = MatrixView<const typename B::Scalar>;
template <Backend B>
using MatrixOut = MatrixView<typename B::Scalar>;
template <Backend B>
using MapIn = MapView<const typename B::Scalar>;
template <Backend B>
using MapOut = MapView<typename B::Scalar>;

}  // namespace ADTR_ABI
}  // namespace adtr
