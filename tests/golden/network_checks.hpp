/// Compares a whole network on one backend with its golden file, from a weights file to score and gradients.
#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "adtr/core/buffer.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/models/score_map.hpp"
#include "golden/backends.hpp"
#include "golden/formula_network.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

namespace golden {

/// A leaf for walk_parameters that compares each tensor with `grad.<name>`, or with `adamw3.<name>`.
template <class T>
struct CompareParameters {
  const Golden& expected;
  bool gradients;

  void tensor(const std::string& name, const T* data, const adtr::Shape& shape) {
    INFO((gradients ? "grad." : "adamw3.") << name);
    const std::span<const T> actual(data, static_cast<std::size_t>(shape.size()));
    CHECK((gradients ? expected.error("grad." + name, actual) : expected.adamw_error(name, actual)) < tolerance<T>);
  }
};

/// ADTR of type `Net` on backend B with the formula's parameters.
template <class B, class Net>
class NetworkChecks {
 public:
  using T = typename B::Scalar;

  NetworkChecks(const std::string& name, const adtr::Numerics& numerics)
      : expected_(name), network_(expected_, numerics) {}

  /// Taps, features, reconstruction and scores of both images, computed as one batch.
  void inference() {
    adtr::WeightsOf<Backbone, B> backbone;
    backbone.prepare({context_, adtr::Mode::inference, network_.padding}, network_.backbone);
    const std::vector<T> images = batch_of<T>("input.", Image::size, 2.0);
    const adtr::MapIn<B> in = adtr::map_view<Image>(images.data(), batch);
    adtr::Buffer<T> features(batch * Features::size);
    const auto map = adtr::map_view<Features>(features.data(), batch);
    adtr::Buffer<T> scratch(adtr::measure_forward<Backbone, B>(adtr::Mode::inference, in, map));
    adtr::Arena<T> maps(scratch.data(), scratch.size());
    const adtr::Pass<B> pass{context_};
    if constexpr (quick) {
      backbone.visit_taps(pass, in, maps, [&](std::size_t tap, adtr::MapIn<B> output) {
        compare("tap." + std::to_string(tap), output.data, output.pixels() * output.channels);
      });
    }
    backbone.forward(pass, in, map, maps);
    compare("features", features.data(), features.size());

    adtr::WeightsOf<Transformer, B> transformer;
    transformer.prepare({context_}, network_.transformer);
    adtr::Buffer<T> reconstruction(features.size()), scores(batch * Features::positions);
    const adtr::MatrixOut<B> output(reconstruction.data(), batch * Features::positions, Features::channels);
    adtr::Buffer<T> memory(adtr::measure_forward<Transformer, B>(adtr::Mode::inference, map.matrix(), output));
    adtr::Arena<T> arena(memory.data(), memory.size());
    transformer.forward(pass, map.matrix(), output, arena);
    compare("reconstruction", reconstruction.data(), reconstruction.size());
    B::difference_norm(context_, map.matrix(), output, scores.data());
    compare("position_score", scores.data(), scores.size());

    adtr::ScoreMap<T> score_map(Features::height, Image::height);
    std::vector<T> pixels(static_cast<std::size_t>(Image::positions));
    for (adtr::Index b = 0; b < batch; ++b) {
      score_map.upsample(scores.span().subspan(static_cast<std::size_t>(b * Features::positions),
                                               static_cast<std::size_t>(Features::positions)),
                         pixels);
      CHECK(expected_.error(prefix(b) + "score_map", std::span<const T>(pixels)) < tolerance<T>);
      const std::vector<double> pooled{score_map.pooled_maximum(pixels)};
      CHECK(expected_.template error<double>(prefix(b) + "image_score", pooled) < tolerance<T>);
    }
  }

  /// L_norm of the formula's features, its gradients, and the parameters after three steps of AdamW.
  void training() {
    constexpr adtr::Index steps = quick ? 3 : 1;
    adtr::WeightsOf<Transformer, B> weights;
    const adtr::Pass<B> pass{context_, adtr::Mode::training};
    const std::vector<T> features = batch_of<T>("features.", Features::size, 1.7);
    constexpr adtr::Index rows = batch * Features::positions;
    const adtr::MatrixIn<B> f(features.data(), rows, Features::channels);
    adtr::Buffer<T> output(batch * Features::size), dy(output.size());
    const adtr::MatrixOut<B> y(output.data(), rows, Features::channels), d(dy.data(), rows, Features::channels);
    adtr::Buffer<T> memory(adtr::measure_training<Transformer, B>({}, f, y));
    adtr::Buffer<T> first(network_.trained.size()), second(first.size());
    std::vector<double> losses;
    for (adtr::Index step = 1; step <= steps; ++step) {
      weights.prepare({context_, adtr::Mode::training}, network_.transformer);
      adtr::Arena<T> arena(memory.data(), memory.size());
      const auto kept = weights.forward(pass, f, y, arena);
      const double n = static_cast<double>(rows);
      double sum = 0.0;
      B::norm_gradient(context_, f, y, static_cast<T>(2.0 / n), d, &sum);
      losses.push_back(sum / n);
      adtr::Buffer<T> gradient(first.size());
      auto gradients = adtr::bind_parameters<Transformer, T>(gradient.data());
      weights.backward(pass, f, kept, d, gradients, {}, arena);
      if (step == 1) adtr::walk_parameters(gradients, "", CompareParameters<T>{expected_, true});
      adtr::AdamW rule;
      rule.learning_rate = 1e-3;
      rule.step = step;
      B::adamw(context_, rule, first.size(), network_.trained.data(), gradient.data(), first.data(), second.data());
    }
    CHECK(expected_.template error<double>("loss", std::span<const double>(losses).first(1)) < tolerance<T>);
    if constexpr (quick) {
      CHECK(expected_.template error<double>("losses", losses) < tolerance<T>);
      adtr::walk_parameters(network_.transformer, "", CompareParameters<T>{expected_, false});
    }
  }

 private:
  using Backbone = typename Net::Backbone;
  using Transformer = typename Net::Transformer;
  using Features = typename Net::Features;
  using Image = typename Net::Image;

  /// For a large network in double, a pass of Reference takes seconds. So the features are compared instead of the taps
  /// that they consist of, and the gradients of one step instead of three; the small networks cover the rest.
  static constexpr bool quick = std::is_same_v<T, float> || Image::height < 256;

  /// A tensor of both images with n elements in total.
  void compare(const std::string& tensor, const T* data, adtr::Index n) {
    for (adtr::Index b = 0; b < batch; ++b) {
      INFO(prefix(b) << tensor);
      const std::span<const T> actual(data + b * (n / batch), static_cast<std::size_t>(n / batch));
      CHECK(expected_.error(prefix(b) + tensor, actual) < tolerance<T>);
    }
  }

  Golden expected_;
  FormulaNetwork<B, Net> network_;
  typename B::Context context_ = support::context<B>(2);
};

/// The checks of network N (an adtr::Network) on backend B against the file `name`.
template <class B, class N>
NetworkChecks<B, typename N::type> checks(const std::string& name) {
  return {name, adtr::parse_architecture(adtr::name_of(N::architecture)).numerics};
}

}  // namespace golden
