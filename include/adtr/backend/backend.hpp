/// What a backend is: an empty policy class whose static functions do the arithmetic. Layers call only these.
///
/// The backends are `Reference<double>` and `Reference<float>` (plain loops, the oracle), `EigenBackend` (portable),
/// `Cpu` (SIMD) and `Cuda` (a GPU). The operations are listed at `BackendOperations`.
#pragma once

#include <concepts>

#include "adtr/backend/anomaly_loss.hpp"
#include "adtr/backend/arguments.hpp"

namespace adtr {
inline namespace ADTR_ABI {

// clang-format off
/// Everything that a backend must have. If you write one, `static_assert(adtr::BackendOperations<Mine>)` lists what is
/// missing.
///
/// Every operation takes the backend's Context as its first argument, which the table leaves out. Unless a row says
/// otherwise:
/// - pointers and views refer to the backend's memory, and `sum` to one of its Sums;
/// - results are overwritten, and views do not overlap;
/// - the same input gives the same bits, for any number of threads and whatever else is in the batch.
///
/// | member | meaning |
/// |---|---|
/// | Scalar | floating-point type of the elements |
/// | name | name of the backend, a C string |
/// | Context(int threads) | what operations run on: threads, a stream |
/// | Packed | a matrix in the layout that multiply and convolve want |
/// | TokenBank | tokens in the layout that nearest wants; a copy |
/// | Memory(n) | n elements in the backend's memory, zero at first; the host's own memory where on_host |
/// | Sums(n) | n doubles in the backend's memory, zero at first |
/// | Staging(n) | n elements of host memory that transfers read or write |
/// | on_host | whether the backend's memory is the host's |
/// | Event | a point in the sequence of operations |
/// | Recording | runs a sequence of operations that is repeated with the same arguments; default-constructible |
///
/// | operation | result |
/// |---|---|
/// | copy(x, y) | y = x |
/// | zero(x, n) | x = 0; x lies in Memory or in Sums |
/// | upload(host, n, x) | copies n elements from host memory; `host` must live until wait returns |
/// | download(x, n, host) | copies n elements or n Sums to host memory; `host` must live until wait returns, and is valid then |
/// | wait() | returns when all operations issued so far are complete |
/// | record(event) | sets the event after the operations issued so far |
/// | wait(event) | returns when all operations issued before record(event) are complete |
/// | pack(w (N,K), packed) | packs w for the product x·wᵀ |
/// | pack_transposed(w (K,N), packed) | packs w for the product x·w |
/// | multiply(a (M,K), packed b, Epilogue, c (M,N)) | c = activation(a·b + bias + residual) |
/// | accumulate_weight_gradient(dy (M,N), x (M,K), dw (N,K)) | dw += dyᵀ·x |
/// | accumulate_column_sums(a, sums) | sums[j] += Σᵢ a[i,j] |
/// | convolve(x, Window, packed w (N, k·k·C), Epilogue, y) | dense convolution; the columns of w are in (ky, kx, c) order |
/// | depthwise(x, Window, w (k·k, C), bias, Activation, y) | depthwise convolution: one filter per channel |
/// | squeeze_excite(x, SqueezeExcite, scratch) | scales x in place; scratch holds batch·(2C + S) elements |
/// | inverted_residual(x, InvertedResidual, scratch, y) | MBConv; scratch holds inverted_residual_scratch(shape) elements |
/// | inverted_residual_scratch(InvertedResidualShape) | number of scratch elements of inverted_residual; takes no Context |
/// | max_pool(x, Window, y) | maximum over the window; positions outside the map count as −∞ |
/// | resize(x, y) | bilinear, corners aligned |
/// | resize_area(x, y) | each pixel of y is the mean of x over its cell, see AreaCell |
/// | standardise(x, mean, inverse_std) | x = (x − mean)·inverse_std per channel, in place |
/// | add_positions(x (B·T, C), p (T, C), y) | y = x + p, for every image |
/// | accumulate_positions(dy (B·T, C), dp (T, C)) | dp += Σ over images of dy |
/// | attention(Attention) | see Attention |
/// | attention_backward(Attention, AttentionGradient) | see AttentionGradient |
/// | layer_norm(x, gamma, beta, eps, y, statistics) | normalises rows; statistics (rows, 2) = mean and 1/σ, or null |
/// | layer_norm_backward(x, gamma, statistics, dy, dx, dgamma, dbeta) | writes dx, which may be the same memory as dy; adds to dgamma and dbeta |
/// | dropout(x, Dropout, residual, y) | y = residual + mask·x/(1 − rate); residual may be null, y may be x |
/// | relu_backward(h, scale, dh) | dh = h > 0 ? dh·scale : 0, in place |
/// | accumulate(x, y) | y += x |
/// | difference_norm(f, g, s) | s[u] = ‖f(u) − g(u)‖₂ |
/// | cosine_distance(f, g, s) | s[u] = 1 − f(u)·g(u) / (‖f(u)‖·‖g(u)‖), never negative; 0 if both rows are 0, and 1 if one is |
/// | pack_tokens(b (N, D), bank) | packs N ≥ 1 tokens for nearest |
/// | nearest(x (M, D), bank, s) | s[u] = minimum over the bank's tokens b of ‖x(u) − b‖₂, exact to the rounding of the differences; see nearest_margin.hpp |
/// | norm_gradient(f, g, scale, dg, sum) | dg = scale·(g − f); *sum += Σ (g − f)² |
/// | mean_difference(f, g, m) | m[u] = mean over channels of abs(f(u) − g(u)) |
/// | sign_gradient(f, g, w, dg) | dg(u) = w[u]·sign(g(u) − f(u)); 0 where equal |
/// | anomaly_weights(AnomalyLoss, y, m, w, sum) | w = weights for sign_gradient, from anomalous tokens y ≠ 0 and mean differences m, all (images, T); *sum += the loss |
/// | squared_norm(x, n, sum) | *sum += Σ x², for gradient clipping |
/// | adamw(AdamW, n, p, g, m, v) | one step over n parameters p with gradients g; m and v are the moments |
// clang-format on
template <class B>
concept BackendOperations = requires(const typename B::Context& context, typename B::Packed& packed,
                                     typename B::TokenBank& bank, MatrixView<const typename B::Scalar> in,
                                     MatrixView<typename B::Scalar> out, MapView<const typename B::Scalar> map_in,
                                     MapView<typename B::Scalar> map_out, const typename B::Scalar* read,
                                     typename B::Scalar* write, typename B::Scalar number,
                                     Epilogue<typename B::Scalar> epilogue, Attention<typename B::Scalar> attention,
                                     AttentionGradient<typename B::Scalar> attention_gradient,
                                     SqueezeExcite<typename B::Scalar> squeeze_excite,
                                     InvertedResidual<typename B::Scalar, typename B::Packed> inverted_residual,
                                     InvertedResidualShape inverted_residual_shape, Window window,
                                     Activation activation, Dropout dropout, AdamW adamw, AnomalyLoss anomaly_loss,
                                     double* sum, typename B::Event& event, Index n) {
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
  B::record(context, event);
  B::wait(context, event);
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
  B::resize_area(context, map_in, map_out);
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
  B::cosine_distance(context, in, in, write);
  B::pack_tokens(context, in, bank);
  B::nearest(context, in, bank, write);
  B::norm_gradient(context, in, in, number, out, sum);
  B::mean_difference(context, in, in, write);
  B::sign_gradient(context, in, in, read, out);
  B::anomaly_weights(context, anomaly_loss, in, in, out, sum);
  B::squared_norm(context, read, n, sum);
  B::adamw(context, adamw, n, write, read, write, write);
};

/// The same as a value: where it fails, a compiler says that it is false and prints no long explanation.
template <class B>
inline constexpr bool is_a_backend_such_as_adtr_Cpu = BackendOperations<B>;

template <class B>
concept Backend = is_a_backend_such_as_adtr_Cpu<B>;  // static_assert(adtr::BackendOperations<B>) says what is missing

/// Views that operations on backend B read (In) and write (Out).
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
