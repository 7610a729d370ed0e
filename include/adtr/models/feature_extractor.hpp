/// The frozen half of a network: a backbone with its weights, which turns images into features.
#pragma once

#include <algorithm>
#include <cassert>
#include <memory>

#include "adtr/core/buffer.hpp"
#include "adtr/models/backbone.hpp"
#include "adtr/nn/transfer.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {
/// Room in bytes for a layer's weights on a backend, where narrow matrices are padded with zeros.
template <class Layer, class T>
inline constexpr std::size_t packed_bytes =
    static_cast<std::size_t>(parameter_count<Layer> + parameter_count<Layer> / 4) * sizeof(T) + (std::size_t{1} << 20);
}  // namespace detail

/// The frozen half: a backbone with its weights and working memory. Use from one thread at a time.
template <class Net, Backend B>
class FeatureExtractor {
 public:
  using Scalar = typename B::Scalar;
  using Backbone = typename Net::Backbone;
  using Parameters = ParametersOf<Backbone, Scalar>;

  /// Packs `parameters`, which are in the host's memory and are not needed afterwards, part by part. Processes up to
  /// `capacity` images at a time.
  FeatureExtractor(const typename B::Context& context, const Parameters& parameters, Padding padding, Pooling pooling,
                   Index capacity = 1, const PartListener& parts = {})
      : FeatureExtractor(context, pack(context, parameters, padding, pooling, parts), capacity) {}

  /// Returns another extractor for another thread: it shares the weights and has its own working memory.
  [[nodiscard]] FeatureExtractor share() const { return {context_, weights_, capacity_}; }

  [[nodiscard]] Index capacity() const { return capacity_; }
  /// Working memory that others may use between two calls.
  [[nodiscard]] typename B::Memory& scratch() { return scratch_; }
  [[nodiscard]] const typename B::Memory& scratch() const { return scratch_; }

  /// Calls run(first, count) for groups of n images, at most group() images each. With one to three threads a group is
  /// one image, which keeps its maps in cache; with more threads, one image per two threads. A backend with its own
  /// memory, such as a GPU, processes all images together.
  template <class F>
  void for_groups(Index n, F&& run) const {
    assert(n <= capacity_);
    for (Index first = 0; first < n; first += group_) run(first, (std::min)(group_, n - first));
  }
  [[nodiscard]] Index group() const { return group_; }

  /// Writes features (n, Net::Features) of images (n, Net::Image), n ≤ capacity, both in the backend's memory.
  void extract(MapIn<B> images, MapOut<B> features) {
    for_groups(images.batch, [&](Index first, Index count) {
      Arena<Scalar> arena(scratch_.data(), scratch_.size());
      weights_->forward({context_}, images.images(first, count), features.images(first, count), arena);
    });
  }

  /// Calls tap(number, map) with each tap's own map, for up to group() images, for inspection.
  template <class F>
  void visit_taps(MapIn<B> images, F&& tap) {
    assert(images.batch <= group_);
    Arena<Scalar> arena(scratch_.data(), scratch_.size());
    weights_->visit_taps({context_}, images, arena, tap);
  }

 private:
  using Weights = WeightsOf<Backbone, B>;

  FeatureExtractor(const typename B::Context& context, std::shared_ptr<const Weights> weights, Index capacity)
      : context_(context),
        capacity_(capacity),
        group_(group_of(context, capacity)),
        weights_(std::move(weights)),
        scratch_(maps(group_)) {}

  static typename B::Memory maps(Index group) {
    const MemoryFor purpose("the backbone's feature maps");
    Scalar* const nowhere = detail::no_memory<Scalar>();
    return typename B::Memory(measure_forward<Backbone, B>(Mode::inference,
                                                           map_view<typename Backbone::Input>(nowhere, group),
                                                           map_view<typename Net::Features>(nowhere, group)));
  }

  static Index group_of(const typename B::Context& context, Index capacity) {
    if constexpr (!B::on_host) return capacity;
    if constexpr (requires { context.threads(); }) return std::clamp(Index{context.threads()} / 2, Index{1}, capacity);
    return 1;
  }

  static std::shared_ptr<const Weights> pack(const typename B::Context& context, const Parameters& parameters,
                                             Padding padding, Pooling pooling, const PartListener& parts) {
    const MemoryFor purpose("the backbone's weights");
    const BuffersTogether together(detail::packed_bytes<typename Backbone::Layers, Scalar>);
    auto weights = std::make_shared<Weights>();
    const ParametersOn<typename Backbone::Layers, B> on_backend(context, parameters);
    const PartListener no_parts;
    weights->prepare({context, Mode::inference, padding, pooling, B::on_host ? parts : no_parts}, on_backend.get());
    return weights;
  }

  typename B::Context context_;
  Index capacity_, group_;
  std::shared_ptr<const Weights> weights_;
  typename B::Memory scratch_;
};

}  // namespace ADTR_ABI
}  // namespace adtr
