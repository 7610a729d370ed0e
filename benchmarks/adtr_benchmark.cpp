// Times one part of one network on one backend, with random weights where no model file is given:
//   adtr_benchmark --architecture efficientnet_b4 --part whole --backend cpu --batch 1 --threads 1 --runs 50
// whole: image tensor to score map; backbone: image tensor to concatenated map; transformer: map to reconstruction;
// train: one step (forward, backward, AdamW) on features that are there already.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <thread>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"
#include "timing.hpp"

namespace {

using adtr::Index;
using Nets = adtr::Networks<adtr::Network<adtr::Architecture::efficientnet_b4>,
                            adtr::Network<adtr::Architecture::efficientnet_b0>,
                            adtr::Network<adtr::Architecture::efficientnet_lite0>>;
using adtr_benchmark::time_calls;
using adtr_benchmark::Timing;

struct Options {
  std::string architecture = "efficientnet_b4", part = "whole", backend = "cpu", json, model, images, result;
  Index batch = 1;
  int threads = 1;
  double dropout = 0.0;
  adtr_benchmark::Schedule schedule;
};

template <class T>
void randomise(adtr::Buffer<T>& values, std::uint64_t stream, double scale) {
  adtr::RandomStream random(1, stream);
  for (T& v : values.span()) v = static_cast<T>((2.0 * random.uniform() - 1.0) * scale);
}

/// The trained half with the usual start, features as they come.
template <class Net, class T>
struct Trained {
  adtr::Buffer<T> memory{adtr::parameter_count<adtr::TrainedTensors<Net>>};
  typename adtr::TrainedTensors<Net>::template Parameters<T> tensors =
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
    return {context, parameters, adtr::Padding::symmetric, o.batch};
  }
  const auto file = adtr::SafetensorsFile::open(o.model);
  adtr::ParameterLoader<T> loader(file, 0.0);
  adtr::walk_parameters(parameters, "backbone.", loader);
  loader.finish([](const std::string& name) { return !name.starts_with("backbone."); });
  return {context, parameters, adtr::read_description(file).numerics.padding, o.batch};
}

template <class Net, class B>
adtr::Model<Net, B> make_model(const Options& o, const typename B::Context& context) {
  if (!o.model.empty()) return adtr::Model<Net, B>(adtr::SafetensorsFile::open(o.model), context, o.batch);
  return adtr::Model<Net, B>(context, make_extractor<Net, B>(o, context), Trained<Net, typename B::Scalar>().tensors);
}

/// Writes `values`, whose last dimensions are `shape`, where --result says.
template <class T>
void save_result(const Options& o, std::span<const T> values, std::vector<std::size_t> shape) {
  if (o.result.empty()) return;
  shape.insert(shape.begin(), static_cast<std::size_t>(o.batch));
  adtr::write_safetensors(o.result, std::vector{adtr::tensor_of<T>("result", shape, values)});
}

template <class N, class B>
Timing time_train(const Options& o) {
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
  adtr::Trainer<Transformer, B> trainer(typename B::Context(o.threads), cache, options);
  auto p = trainer.parameters();
  adtr::initialise<Transformer, T>(p, 1);
  // Forward once and backward about twice as much.
  const double gflop = 6e-9 * static_cast<double>(Transformer::macs * o.batch);
  return time_calls(
      o.schedule, gflop, [&] { trainer.run_epoch(); }, [] {});
}

template <class N, class B>
Timing time_inference(const Options& o) {
  using T = typename B::Scalar;
  using Net = typename N::type;
  using Features = typename Net::Features;
  constexpr auto side = static_cast<std::size_t>(N::image_size), grid = static_cast<std::size_t>(N::grid),
                 channels = static_cast<std::size_t>(Features::channels);
  const typename B::Context context(o.threads);
  adtr::Buffer<T> images(o.batch * Net::Image::size);
  if (o.images.empty())
    randomise(images, 2, 1.0);
  else
    adtr::load_weights(o.images).copy_to("images", images.span());
  const adtr::MapIn<B> in = adtr::map_view<typename Net::Image>(images.data(), o.batch);
  const double operations = 2e-9 * static_cast<double>(o.batch);
  const auto as_span = [&](adtr::MapIn<B> map) {
    return std::span<const T>(map.data, static_cast<std::size_t>(o.batch * Features::size));
  };
  if (o.part == "backbone") {
    auto extractor = make_extractor<Net, B>(o, context);
    adtr::Buffer<T> features(o.batch * Features::size);
    const adtr::MapOut<B> map = adtr::map_view<Features>(features.data(), o.batch);
    return time_calls(
        o.schedule, operations * static_cast<double>(Net::Backbone::macs), [&] { extractor.extract(in, map); },
        [&] {
          save_result<T>(o, as_span(map), {grid, grid, channels});
        });
  }
  auto model = make_model<Net, B>(o, context);
  std::vector<T> scores(static_cast<std::size_t>(o.batch) * grid * grid);
  if (o.part == "transformer") {
    model.position_scores(in, scores);
    const adtr::MapIn<B> features = model.features(o.batch);
    return time_calls(
        o.schedule, operations * static_cast<double>(Net::Transformer::inference_macs),
        [&] { model.reconstruct(features); },
        [&] {
          save_result<T>(o, as_span(model.reconstruction(o.batch)), {grid, grid, channels});
        });
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
Timing run(const Options& o) {
  return adtr::select_network(Nets{}, adtr::parse_architecture(o.architecture).architecture, 256, 16, [&]<class N>() {
    return o.part == "train" ? time_train<N, B>(o) : time_inference<N, B>(o);
  });
}

nlohmann::json figures_of(const Options& o, const Timing& t) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double median = t.quantile(0.5), gflops = median > 0.0 ? t.gflop / median * 1e3 : 0.0;
  const double peak =
      t.peak.gflops() * (o.threads > 0 ? o.threads : static_cast<int>(std::thread::hardware_concurrency()));
  return {{"architecture", o.architecture},
          {"part", o.part},
          {"backend", o.backend},
          {"batch", o.batch},
          {"threads", o.threads},
          {"dropout", o.dropout},
          {"isa", adtr::isa_name(adtr::current_isa())},
          {"compiler", __VERSION__},
          {"first_ms", t.first_ms},
          {"median_ms", median},
          {"min_ms", t.quantile(0.0)},
          {"p95_ms", t.quantile(0.95)},
          {"gflops", gflops},
          {"peak_share", peak > 0.0 ? nlohmann::json(gflops / peak) : nlohmann::json()},
          {"resident_mb", static_cast<double>(usage.ru_maxrss) / 1024.0}};
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Times one part of one network on one backend");
  app.add_option("--architecture", o.architecture, "as in `adtr train`")->capture_default_str();
  app.add_option("--part", o.part)
      ->check(CLI::IsMember({"whole", "backbone", "transformer", "train"}))
      ->capture_default_str();
  app.add_option("--backend", o.backend)->check(CLI::IsMember({"cpu", "eigen", "reference"}))->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--threads", o.threads, "0: all")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--runs", o.schedule.runs)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warm-up", o.schedule.warm_up, "calls before those that count")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--serve", o.schedule.serve, "make as many calls as each line of standard input says");
  app.add_option("--dropout", o.dropout, "of --part train")->check(CLI::Range(0.0, 0.9))->capture_default_str();
  app.add_option("--model", o.model, "model file to take architecture and weights from; not for --part train");
  app.add_option("--images", o.images, "safetensors file with `images` (batch, 256, 256, 3); random where not given");
  app.add_option("--result", o.result, "safetensors file to write the part's `result` to");
  app.add_option("--json", o.json, "file to write the figures to");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!o.model.empty()) {
      const auto file = adtr::SafetensorsFile::open(o.model);
      o.architecture = adtr::name_of(adtr::read_description(file).architecture);
    }
    const nlohmann::json figures = figures_of(o, o.backend == "cpu"     ? run<adtr::Cpu>(o)
                                                 : o.backend == "eigen" ? run<adtr::EigenBackend>(o)
                                                                        : run<adtr::Reference<float>>(o));
    std::printf("%s\n", figures.dump().c_str());
    if (!o.json.empty() && !(std::ofstream(o.json) << figures.dump(2) << '\n'))
      throw adtr::file_error(o.json, "cannot be written");
  } catch (const adtr::Error& e) {
    std::fprintf(stderr, "adtr_benchmark: %s\n", e.what());
    return 1;
  }
}
