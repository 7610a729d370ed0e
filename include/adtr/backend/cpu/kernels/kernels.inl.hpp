/// All kernels of one instruction set, in the order in which they depend on each other. This file is included once per
/// instruction set, inside its namespace and target region, after its vector type.
#include "adtr/backend/cpu/vector/math.inl.hpp"
//
#include "adtr/backend/cpu/vector/activation.inl.hpp"
#include "adtr/backend/cpu/vector/philox.inl.hpp"
//
#include "adtr/backend/cpu/kernels/panels.inl.hpp"
#include "adtr/backend/cpu/kernels/tile.inl.hpp"
//
#include "adtr/backend/cpu/kernels/gemm.inl.hpp"
//
#include "adtr/backend/cpu/kernels/convolve.inl.hpp"
#include "adtr/backend/cpu/kernels/dropout.inl.hpp"
#include "adtr/backend/cpu/kernels/elements.inl.hpp"
#include "adtr/backend/cpu/kernels/filter.inl.hpp"
#include "adtr/backend/cpu/kernels/layer_norm.inl.hpp"
#include "adtr/backend/cpu/kernels/maps.inl.hpp"
#include "adtr/backend/cpu/kernels/optimiser.inl.hpp"
#include "adtr/backend/cpu/kernels/pack.inl.hpp"
#include "adtr/backend/cpu/kernels/weight_gradient.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention.inl.hpp"
#include "adtr/backend/cpu/kernels/losses.inl.hpp"
#include "adtr/backend/cpu/kernels/nearest.inl.hpp"
//
#include "adtr/backend/cpu/kernels/attention_backward.inl.hpp"

// A kernel without its line here would be a null pointer; -Wmissing-field-initializers reports it.
inline constexpr Kernels kernels{
    .isa = this_isa,
    .row_tile = tile_rows(wide),
    .gemm = gemm,
    .convolve = convolve,
    .filter = filter,
    .max_pool = max_pool,
    .blend = blend,
    .area = area,
    .column_sums = column_sums,
    .dense = dense,
    .sigmoid = sigmoid,
    .scale_rows = scale_rows,
    .scale_panels = scale_panels,
    .pack = pack,
    .standardise = standardise,
    .attention = attention,
    .dropout = dropout,
    .layer_norm = layer_norm,
    .add = add,
    .squared_distance = squared_distance,
    .cosine_distance = cosine_distance,
    .nearest = nearest,
};

inline constexpr TrainingKernels training_kernels{
    .row_tile = tile_rows(wide),
    .weight_gradient = weight_gradient,
    .attention_backward = attention_backward,
    .layer_norm_dx = layer_norm_dx,
    .layer_norm_parameters = layer_norm_parameters,
    .relu_backward = relu_backward,
    .squared_norm = squared_norm,
    .norm_gradient = norm_gradient,
    .distance = distance,
    .sign_gradient = sign_gradient,
    .adamw = adamw,
};
