/// All kernels of one instruction set, in the order in which they build on each other. Included once per instruction
/// set, inside its namespace and target region, after its vector type.
#include "adtr/backend/cpu/kernels/math.inl.hpp"
//
#include "adtr/backend/cpu/kernels/tile.inl.hpp"
//
#include "adtr/backend/cpu/kernels/product.inl.hpp"
//
#include "adtr/backend/cpu/kernels/convolve.inl.hpp"
#include "adtr/backend/cpu/kernels/depthwise.inl.hpp"
#include "adtr/backend/cpu/kernels/elements.inl.hpp"
#include "adtr/backend/cpu/kernels/maps.inl.hpp"
#include "adtr/backend/cpu/kernels/philox.inl.hpp"
#include "adtr/backend/cpu/kernels/rows.inl.hpp"
#include "adtr/backend/cpu/kernels/weight_gradient.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention_backward.inl.hpp"

inline constexpr Kernels kernels{this_isa,
                                 tile_rows(2),
                                 product,
                                 weight_gradient,
                                 convolve,
                                 depthwise,
                                 max_pool,
                                 blend,
                                 column_sums,
                                 dense,
                                 sigmoid,
                                 scale_rows,
                                 standardise,
                                 attention,
                                 attention_backward,
                                 layer_norm,
                                 layer_norm_dx,
                                 layer_norm_parameters,
                                 dropout,
                                 add,
                                 relu_backward,
                                 squared_distance,
                                 squared_norm,
                                 norm_gradient,
                                 adamw};
