/// All kernels of one instruction set, in the order in which they build on each other. Included once per instruction
/// set, inside its namespace and target region, after its vector type.
#include "adtr/backend/cpu/kernels/math.inl.hpp"
//
#include "adtr/backend/cpu/kernels/activation.inl.hpp"
//
#include "adtr/backend/cpu/kernels/tile.inl.hpp"
//
#include "adtr/backend/cpu/kernels/product.inl.hpp"
//
#include "adtr/backend/cpu/kernels/convolve.inl.hpp"
#include "adtr/backend/cpu/kernels/elements.inl.hpp"
#include "adtr/backend/cpu/kernels/filter.inl.hpp"
#include "adtr/backend/cpu/kernels/maps.inl.hpp"
#include "adtr/backend/cpu/kernels/philox.inl.hpp"
#include "adtr/backend/cpu/kernels/rows.inl.hpp"
#include "adtr/backend/cpu/kernels/weight_gradient.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention_backward.inl.hpp"
#include "adtr/backend/cpu/kernels/pack.inl.hpp"

inline constexpr Kernels kernels{this_isa,   tile_rows(wide), product,     convolve,        filter,
                                 max_pool,   blend,           column_sums, dense,           sigmoid,
                                 scale_rows, scale_panels,    pack,        standardise,     attention,
                                 dropout,    layer_norm,      add,         squared_distance};

inline constexpr TrainingKernels training_kernels{tile_rows(wide),
                                                  weight_gradient,
                                                  attention_backward,
                                                  layer_norm_dx,
                                                  layer_norm_parameters,
                                                  relu_backward,
                                                  squared_norm,
                                                  norm_gradient,
                                                  distance,
                                                  sign_gradient,
                                                  adamw};
