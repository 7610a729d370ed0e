/// The code that both files of the program run, each on its backend, and the types that they must agree on.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/random.hpp"
#include "adtr/models/description.hpp"
#include "adtr/nn/encoder_layer.hpp"
#include "adtr/nn/transfer.hpp"

namespace two_backends {

inline constexpr adtr::Index tokens = 64, channels = 64;
using Layer = adtr::EncoderLayer<adtr::TransformerSpec{channels, 2, 128, 1}>;

/// An encoder layer with random weights on random tokens, (tokens, channels).
template <adtr::Backend B>
std::vector<float> encode(const typename B::Context& context) {
  using adtr::Index, adtr::MatrixIn, adtr::MatrixOut;
  constexpr Index size = tokens * channels;
  adtr::Buffer<float> numbers(adtr::parameter_count<Layer> + 2 * size);
  adtr::RandomStream random(1, 2);
  for (float& x : numbers.span()) x = static_cast<float>(0.4 * (random.uniform() - 0.5));
  const adtr::ParametersOn<Layer, B> parameters(context, adtr::bind_parameters<Layer>(numbers.data() + 2 * size));
  adtr::WeightsOf<Layer, B> weights;
  weights.prepare({context}, parameters.get());

  typename B::Memory x(size), positions(size), y(size);
  B::upload(context, numbers.data(), size, x.data());
  B::upload(context, numbers.data() + size, size, positions.data());
  const MatrixIn<B> in(x.data(), tokens, channels);
  const MatrixOut<B> out(y.data(), tokens, channels);
  typename B::Memory room(adtr::measure_forward<Layer, B>(adtr::Mode::inference, in, out));
  adtr::Arena<float> arena(room.data(), room.size());
  weights.forward({context, adtr::Mode::inference, {}, tokens, MatrixIn<B>(positions.data(), tokens, channels)}, in,
                  out, arena);
  std::vector<float> result(static_cast<std::size_t>(size));
  B::download(context, y.data(), size, result.data());
  B::wait(context);
  return result;
}

/// Size and alignment of types that both files use. A class with different layouts in g++ and nvcc would break the
/// one-definition rule without an error from the linker.
template <class... T>
std::vector<std::array<std::size_t, 2>> layouts_of() {
  return {{sizeof(T), alignof(T)}...};
}
/// `static`, so that each file has its own.
[[maybe_unused]] static std::vector<std::array<std::size_t, 2>> layouts() {
  using namespace adtr;
  return layouts_of<MatrixView<float>, MapView<float>, Epilogue<float>, Window, Attention<float>,
                    AttentionGradient<float>, SqueezeExcite<float>, InvertedResidualShape, Dropout, AdamW, Shape,
                    Buffer<float>, Arena<float>, Error, PartListener, ModelDescription, RandomStream,
                    Layer::Parameters<float>, WeightsOf<Layer, Measuring<>>::Kept>();
}

}  // namespace two_backends
