/// The interface between the Cpu backend and its kernels: plain structs of pointers and sizes, and the table of
/// functions that every instruction set fills in.
///
/// Kernels are compiled with other flags than the rest of the translation unit. Nothing here has a vector type, a
/// callable or a member function, so the two share no code.
#pragma once

#include <cstdint>

#include "adtr/backend/area_cell.hpp"
#include "adtr/backend/arguments.hpp"
#include "adtr/backend/cpu/isa.hpp"
#include "adtr/backend/nearest_margin.hpp"
#include "adtr/core/ceil_div.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cpu {

/// Number of columns of a panel of a packed matrix, the same for all instruction sets.
inline constexpr Index panel_columns = 16;

/// Elements of the memory `room` in which a kernel packs its blocks, and which begins on a cache line. A task has a
/// room to itself, see KernelRooms; nothing in it is kept.
inline constexpr Index kernel_room_elements = 64512;  // 252 KB

/// c[:, begin:end) = activation(a·b + bias + residual) for some rows of a and c.
struct GemmTask {
  const float* a = nullptr;  ///< (rows, inputs)
  Index a_stride = 0;
  const float* b = nullptr;  ///< panels (inputs, panel_columns), starting at column 0
  Index panel = 0;           ///< elements between panels
  Index rows = 0;
  Index inputs = 0;
  Index begin = 0;  ///< a multiple of panel_columns
  Index end = 0;
  float* c = nullptr;
  Index c_stride = 0;
  const float* bias = nullptr;
  const float* residual = nullptr;
  Index residual_stride = 0;
  Activation activation = Activation::none;
};

/// dw += dyᵀ·x for some rows and columns of dw. The pointers refer to the first column of dy and of x that the task
/// reads, and to the first element of dw that it updates.
struct WeightGradientTask {
  const float* dy = nullptr;
  Index dy_stride = 0;
  const float* x = nullptr;
  Index x_stride = 0;
  Index rows = 0;  ///< of dy and x
  Index outputs = 0;
  Index inputs = 0;
  float* dw = nullptr;
  Index dw_stride = 0;
};

/// The maps of a convolution or a pooling, and the pixels of the result that a task computes.
struct WindowTask {
  const float* x = nullptr;
  Index x_stride = 0;  ///< from pixel to pixel
  Index height = 0, width = 0, channels = 0;
  float* y = nullptr;
  Index y_stride = 0;
  Index out_height = 0, out_width = 0;
  Index begin = 0, end = 0;  ///< pixels of the result (convolve) or its rows (max_pool), over all images
  Window window{};
};

struct ConvolveTask {
  WindowTask maps{};
  GemmTask gemm{};  ///< b, panel, inputs, end (columns), bias, residual, activation
};

/// Limits of a FilterTask.
inline constexpr Index filter_kernel = 7;      // of the window
inline constexpr Index filter_channels = 128;  // of a block
inline constexpr Index ring_elements = 49152;  // of input rows: 192 KB, under half of a second-level cache

/// Computes some rows and columns of y for a block of channels of one image:
/// y = activation(depthwise(activation(x·expand + expand_bias)) + bias), or activation(depthwise(x) + bias).
struct FilterTask {
  const float* x = nullptr;
  Index x_stride = 0;  ///< from pixel to pixel
  Index in_height = 0, in_width = 0;
  const float* expand = nullptr;  ///< panels (inputs, panel_columns), or null
  Index inputs = 0;               ///< of the expansion
  const float* expand_bias = nullptr;
  const float* weight = nullptr;  ///< (k·k, channels)
  const float* bias = nullptr;
  Index channels = 0;
  Window window{};
  Activation activation = Activation::none;
  float* y = nullptr;
  Index y_stride = 0;
  Index out_width = 0;
  float* sums = nullptr;  ///< per row and channel of y: Σ over columns [first_column, last_column); or null
  Index sums_stride = 0;
  Index first_channel = 0, last_channel = 0;  ///< the first a multiple of panel_columns
  Index first_row = 0, last_row = 0;
  Index first_column = 0, last_column = 0;
};

/// Where an output pixel of a bilinear resize lies between input pixels.
struct Blend {
  const float* corner[4] = {};  ///< above left, above right, below left, below right
  float x = 0.0F, y = 0.0F;     ///< weights of the right and the bottom corners
};

/// One pixel of resize_area's result: a weighted sum over a rectangle of input pixels.
struct AreaTask {
  const float* x = nullptr;  ///< the rectangle's first pixel
  Index x_stride = 0;        ///< from pixel to pixel
  Index row_stride = 0;      ///< from row to row
  AreaCell down{}, across{};
  float* y = nullptr;
  Index channels = 0;
};

/// Parameters of a dropout layer: an element whose random bits are below the threshold is dropped.
struct DropoutStream {
  std::uint64_t seed = 0;
  std::uint32_t site = 0, step = 0;
  std::uint32_t threshold = 0;  ///< 0 drops nothing
  float scale = 1.0F;
};

/// The distances between some rows of x and the nearest token of a bank.
struct NearestTask {
  const float* x = nullptr;  ///< (rows, inputs)
  Index x_stride = 0;
  Index rows = 0;
  Index inputs = 0;
  const float* b = nullptr;  ///< panels (inputs, panel_columns), a token in each column
  Index tokens = 0;
  const float* bias = nullptr;  ///< −‖b‖²/2 of each token, and −∞ in the panels' columns beyond the last
  float max_norm = 0.0F;        ///< of a token
  float* distances = nullptr;
};

/// Attention of one head of one image, for the queries [begin, end). The pointers refer to the image's first token and
/// the head's first channel.
struct AttentionTask {
  const float* query = nullptr;
  const float* key = nullptr;
  const float* value = nullptr;
  Index query_stride = 0, key_stride = 0, value_stride = 0;
  float* out = nullptr;
  Index out_stride = 0;
  float* log_sum_exp = nullptr;  ///< of this head, or null
  Index tokens = 0;
  Index channels = 0;
  Index begin = 0, end = 0;
  float scale = 1.0F;
  std::uint64_t first = 0;  ///< dropout element of this head's weight (0, 0)
  DropoutStream dropout{};
};

/// The gradient of attention of one head of one image, for all queries.
struct AttentionGradientTask {
  AttentionTask forward{};
  const float* dout = nullptr;
  Index dout_stride = 0;
  float* dquery = nullptr;
  float* dkey = nullptr;
  float* dvalue = nullptr;
  Index dquery_stride = 0, dkey_stride = 0, dvalue_stride = 0;
};

/// The kernels of one instruction set. Tasks of one operation write to different places and may run in parallel.
struct Kernels {
  Isa isa;
  Index row_tile;  ///< rows of a register tile; row blocks should be multiples of it
  void (*gemm)(const GemmTask&);
  void (*convolve)(const ConvolveTask&, float* room);
  void (*filter)(const FilterTask&, float* room);
  void (*max_pool)(const WindowTask&);
  /// y = Σ blend·corner over `channels`.
  void (*blend)(const Blend&, float* y, Index channels);
  void (*area)(const AreaTask&);
  /// sums[j] (+)= factor·Σᵢ a[i, j].
  void (*column_sums)(const float* a, Index stride, Index rows, Index columns, float factor, bool add, float* sums);
  /// y = activation(w·x + bias), w (rows, columns).
  void (*dense)(const float* w, const float* bias, const float* x, Index rows, Index columns, Activation activation,
                float* y);
  void (*sigmoid)(float* x, Index n);
  /// Multiplies every row of x by a vector of factors.
  void (*scale_rows)(float* x, Index stride, Index rows, Index columns, const float* factors);
  /// Multiplies row k of panels (inputs, panel_columns) by factors[k], instead of scaling the left side of a product.
  void (*scale_panels)(const float* b, Index panels, Index inputs, const float* factors, float* scaled);
  /// Packs the columns of wᵀ as panels (columns, panel_columns), with zeros beyond the last.
  void (*pack)(const float* w, Index stride, Index rows, Index columns, float* panels);
  void (*standardise)(float* x, Index stride, Index rows, Index columns, const float* mean, const float* inverse_std);
  void (*attention)(const AttentionTask&, float* room);
  /// y = residual + mask·x·scale for n elements, the first of which is dropout element `first`; residual may be null.
  void (*dropout)(const float* x, Index n, const DropoutStream&, std::uint64_t first, const float* residual, float* y);
  void (*layer_norm)(const float* x, Index columns, const float* gamma, const float* beta, float eps, float* y,
                     float* statistics);
  void (*add)(const float* a, const float* b, Index n, float* y);
  /// Σ (g − f)².
  double (*squared_distance)(const float* f, const float* g, Index n);
  /// 1 − f·g / (‖f‖·‖g‖).
  double (*cosine_distance)(const float* f, const float* g, Index n);
  void (*nearest)(const NearestTask&, float* room);
};

/// Kernels that only training uses: a program that only detects does not compile them.
struct TrainingKernels {
  Index row_tile;
  void (*weight_gradient)(const WeightGradientTask&, float* room);
  void (*attention_backward)(const AttentionGradientTask&, float* room);
  void (*layer_norm_dx)(const float* x, Index columns, const float* gamma, const float* statistics, const float* dy,
                        float* dx);
  /// dγ += Σ dy·x̂ and dβ += Σ dy, for some columns.
  void (*layer_norm_parameters)(const float* x, Index x_stride, const float* statistics, const float* dy,
                                Index dy_stride, Index rows, Index columns, float* dgamma, float* dbeta);
  void (*relu_backward)(const float* h, Index n, float scale, float* dh);
  double (*squared_norm)(const float* x, Index n);
  /// dg = scale·(g − f); returns Σ (g − f)².
  double (*norm_gradient)(const float* f, const float* g, Index n, float scale, float* dg);
  /// Σ |g − f|.
  double (*distance)(const float* f, const float* g, Index n);
  /// dg = weight·sign(g − f).
  void (*sign_gradient)(const float* f, const float* g, Index n, float weight, float* dg);
  void (*adamw)(const AdamWFactors&, float scale, Index n, float* p, const float* g, float* m, float* v);
};

}  // namespace cpu
}  // namespace ADTR_ABI
}  // namespace adtr
