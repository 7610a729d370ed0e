/// The parts of a network that adtr_benchmark times, on any backend.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"
#include "timing.hpp"

namespace adtr_benchmark {

using adtr::Index;
using Nets = adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_b4>,
                            adtr::Network<adtr::Architecture::efficientnet_b0>,
                            adtr::Network<adtr::Architecture::efficientnet_lite0>>;

struct Options {
  std::string architecture = "efficientnet_b4", part = "whole", backend = "cpu", precision = "float32", json, model,
              images, result;
  Index batch = 1;
  int threads = 1;
  double dropout = 0.0;
  Schedule schedule;
};

template <class T>
void randomise(adtr::Buffer<T>& values, std::uint64_t stream, double scale) {
  adtr::RandomStream random(1, stream);
  for (T& v : values.span()) v = static_cast<T>((2.0 * random.uniform() - 1.0) * scale);
}

/// The trained half with its initial weights, without standardised features.
template <class Net, class T>
struct Trained {
  adtr::Buffer<T> memory{adtr::parameter_count<adtr::TrainedTensors<Net>>};
  adtr::ParametersOf<adtr::TrainedTensors<Net>, T> tensors =
      adtr::bind_parameters<adtr::TrainedTensors<Net>>(memory.data());
  Trained() {
    adtr::initialise<typename Net::Transformer, T>(tensors.transformer, 1);
    std::fill_n(tensors.feature_std, Net::Features::channels, T{1});
    std::fill_n(tensors.score_std, Net::Features::positions, T{1});
  }
};

/// The backbone of the model file, or one with random weights.
template <class Net, class B>
adtr::FeatureExtractor<Net, B> make_extractor(const Options& o, const typename B::Context& context) {
  using T = typename B::Scalar;
  using Layers = typename Net::Backbone::Layers;
  adtr::Buffer<T> memory(adtr::parameter_count<Layers>);
  auto parameters = adtr::bind_parameters<Layers>(memory.data());
  if (o.model.empty()) {
    randomise(memory, 1, 0.05);
    return {context, parameters, adtr::Padding::symmetric, adtr::Pooling::bilinear, o.batch};
  }
  const auto file = adtr::SafetensorsFile::open(o.model);
  adtr::ParameterLoader<T> loader(file, 0.0);
  adtr::walk_parameters(parameters, "backbone.", loader);
  loader.finish([](const std::string& name) { return !name.starts_with("backbone."); });
  const adtr::ModelDescription d = adtr::read_description(file);
  return {context, parameters, d.numerics.padding, d.pooling, o.batch};
}

template <class Net, class B>
adtr::Model<Net, B> make_model(const Options& o, const typename B::Context& context) {
  if (!o.model.empty()) return adtr::Model<Net, B>(adtr::SafetensorsFile::open(o.model), context, o.batch);
  return adtr::Model<Net, B>(context, make_extractor<Net, B>(o, context), Trained<Net, typename B::Scalar>().tensors);
}

/// Writes `values`, whose last dimensions are `shape`, to the file of --result.
template <class T>
void save_result(const Options& o, std::span<const T> values, std::vector<std::size_t> shape) {
  if (o.result.empty()) return;
  shape.insert(shape.begin(), static_cast<std::size_t>(o.batch));
  adtr::write_safetensors(o.result, std::vector{adtr::tensor_of<T>("result", shape, values)});
}

template <class N, class B>
Timing time_train(const Options& o, const typename B::Context& context) {
  using T = typename B::Scalar;
  using Net = typename N::type;
  using Transformer = typename Net::Transformer;
  adtr::FeatureCache<T> cache(o.batch, Transformer::tokens, Transformer::features, std::uint64_t{8} << 30);
  adtr::RandomStream random(1, 3);
  for (Index i = 0; i < cache.rows().rows * cache.rows().cols; ++i)
    cache.rows().data[i] = static_cast<T>(2.0 * random.uniform() - 1.0);
  auto options = adtr::training_options(adtr::Recipe::paper);
  options.batch = o.batch;
  options.dropout = o.dropout;
  adtr::Trainer<Transformer, B> trainer(context, cache, options);
  auto p = trainer.parameters();
  adtr::initialise<Transformer, T>(p, 1);
  // The backward pass takes about twice as many operations as the forward pass.
  const double gflop = 6e-9 * static_cast<double>(Transformer::macs * o.batch);
  return time_calls(
      o.schedule, gflop, [&] { trainer.run_epoch(); }, [] {});
}

template <class N, class B>
Timing time_inference(const Options& o, const typename B::Context& context) {
  using T = typename B::Scalar;
  using Net = typename N::type;
  using Features = typename Net::Features;
  constexpr auto side = static_cast<std::size_t>(N::image_size), grid = static_cast<std::size_t>(N::grid),
                 channels = static_cast<std::size_t>(Features::channels);
  adtr::Buffer<T> images(o.batch * Net::Image::size);
  if (o.images.empty())
    randomise(images, 2, 1.0);
  else
    adtr::load_weights(o.images).copy_to("images", images.span());
  const adtr::MapIn<B> in = adtr::map_view<typename Net::Image>(images.data(), o.batch);
  const auto save_map = [&](adtr::MapIn<B> map) {  // a map in the backend's memory
    std::vector<T> values(static_cast<std::size_t>(o.batch * Features::size));
    B::download(context, map.data, o.batch * Features::size, values.data());
    B::wait(context);
    save_result<T>(o, values, {grid, grid, channels});
  };
  const double operations = 2e-9 * static_cast<double>(o.batch);
  if (o.part == "backbone") {
    auto extractor = make_extractor<Net, B>(o, context);
    typename B::Memory room, features(o.batch * Features::size);
    const adtr::MapIn<B> there =
        adtr::map_view<typename Net::Image>(adtr::to_device<B>(context, in.data, images.size(), room), o.batch);
    const adtr::MapOut<B> map = adtr::map_view<Features>(features.data(), o.batch);
    return time_calls(
        o.schedule, operations * static_cast<double>(Net::Backbone::macs),
        [&] {
          extractor.extract(there, map);
          B::wait(context);
        },
        [&] { save_map(map); });
  }
  auto model = make_model<Net, B>(o, context);
  std::vector<T> scores(static_cast<std::size_t>(o.batch) * grid * grid);
  if (o.part == "transformer") {
    model.position_scores(in, scores);
    const adtr::MapIn<B> features = model.features(o.batch);
    return time_calls(
        o.schedule, operations * static_cast<double>(Net::Transformer::inference_macs),
        [&] {
          model.reconstruct(features);
          B::wait(context);
        },
        [&] { save_map(model.reconstruction(o.batch)); });
  }
  adtr::ScoreMap<T> score_map(N::grid, N::image_size);
  std::vector<T> pixels(static_cast<std::size_t>(o.batch) * side * side);
  return time_calls(
      o.schedule, operations * static_cast<double>(Net::inference_macs),
      [&] {
        model.position_scores(in, scores);
        for (std::size_t i = 0; i < static_cast<std::size_t>(o.batch); ++i)
          score_map.upsample(std::span(scores).subspan(i * grid * grid, grid * grid),
                             std::span(pixels).subspan(i * side * side, side * side));
      },
      [&] {
        save_result<T>(o, pixels, {side, side});
      });
}

template <class B>
Timing run(const Options& o, const typename B::Context& context) {
  return adtr::select_network(Nets{}, adtr::parse_architecture(o.architecture).architecture, 256, 16, [&]<class N>() {
    return o.part == "train" ? time_train<N, B>(o, context) : time_inference<N, B>(o, context);
  });
}

}  // namespace adtr_benchmark
