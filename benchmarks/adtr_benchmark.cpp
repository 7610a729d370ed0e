// Times one part of one network on one backend, with random weights:
//   adtr_benchmark --architecture efficientnet_b4 --part whole --backend cpu --batch 1 --threads 1 --runs 50
// whole: image tensor to score map; backbone: image tensor to concatenated map; transformer: map to reconstruction;
// train: one step (forward, backward, AdamW) on features that are there already.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/models/model.hpp"
#include "adtr/models/score_map.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"

namespace {

using adtr::Index;

struct Options {
  std::string architecture = "efficientnet_b4", part = "whole", backend = "cpu", json;
  Index batch = 1;
  int threads = 1, runs = 50;
  double dropout = 0.0;
};

struct Timing {
  std::vector<double> milliseconds;
  double gflop;  ///< of one call
};

template <class F>
Timing time_calls(int runs, double gflop, F&& call) {
  call();
  call();
  Timing timing{{}, gflop};
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    timing.milliseconds.push_back(took.count());
  }
  std::sort(timing.milliseconds.begin(), timing.milliseconds.end());
  return timing;
}

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
  return time_calls(o.runs, 6e-9 * static_cast<double>(Transformer::macs * o.batch), [&] { trainer.run_epoch(); });
}

template <class N, class B>
Timing time_inference(const Options& o) {
  using T = typename B::Scalar;
  using Net = typename N::type;
  const typename B::Context context(o.threads);
  using Layers = typename Net::Backbone::Layers;
  adtr::Buffer<T> frozen(adtr::parameter_count<Layers>), images(o.batch * Net::Image::size),
      features(o.batch * Net::Features::size);
  randomise(frozen, 1, 0.05);
  randomise(images, 2, 1.0);
  adtr::FeatureExtractor<Net, B> extractor(context, adtr::bind_parameters<Layers>(frozen.data()),
                                           adtr::Padding::symmetric, o.batch);
  frozen = {};
  const adtr::MapIn<B> in = adtr::map_view<typename Net::Image>(images.data(), o.batch);
  const adtr::MapOut<B> map = adtr::map_view<typename Net::Features>(features.data(), o.batch);
  const double images_macs = 2e-9 * static_cast<double>(o.batch);
  if (o.part == "backbone")
    return time_calls(o.runs, images_macs * static_cast<double>(Net::Backbone::macs),
                      [&] { extractor.extract(in, map); });
  extractor.extract(in, map);
  adtr::Model<Net, B> model(context, std::move(extractor), Trained<Net, T>().tensors);
  if (o.part == "transformer")
    return time_calls(o.runs, images_macs * static_cast<double>(Net::Transformer::macs),
                      [&] { model.reconstruct(map); });
  adtr::ScoreMap<T> score_map(N::grid, N::image_size);
  std::vector<T> scores(static_cast<std::size_t>(o.batch * Net::Features::positions)),
      pixels(static_cast<std::size_t>(N::image_size * N::image_size));
  return time_calls(o.runs, images_macs * static_cast<double>(Net::macs), [&] {
    model.position_scores(in, scores);
    for (Index i = 0; i < o.batch; ++i)
      score_map.upsample(std::span(scores).subspan(static_cast<std::size_t>(i * Net::Features::positions)), pixels);
  });
}

template <class B>
Timing run(const Options& o) {
  return adtr::select_network(
      adtr::DefaultNetworks{}, adtr::parse_architecture(o.architecture).architecture, 256, 16,
      [&]<class N>() { return o.part == "train" ? time_train<N, B>(o) : time_inference<N, B>(o); });
}

double resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
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
  app.add_option("--runs", o.runs)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--dropout", o.dropout, "of --part train")->check(CLI::Range(0.0, 0.9))->capture_default_str();
  app.add_option("--json", o.json, "file to write the figures to");
  CLI11_PARSE(app, argc, argv);
  try {
    const Timing t = o.backend == "cpu"     ? run<adtr::Cpu>(o)
                     : o.backend == "eigen" ? run<adtr::EigenBackend>(o)
                                            : run<adtr::Reference<float>>(o);
    const auto at = [&](double q) {
      return t.milliseconds[static_cast<std::size_t>(q * static_cast<double>(t.milliseconds.size() - 1))];
    };
    const nlohmann::json figures{{"architecture", o.architecture},
                                 {"part", o.part},
                                 {"backend", o.backend},
                                 {"batch", o.batch},
                                 {"threads", o.threads},
                                 {"dropout", o.dropout},
                                 {"median_ms", at(0.5)},
                                 {"min_ms", at(0.0)},
                                 {"p95_ms", at(0.95)},
                                 {"gflops", t.gflop / at(0.5) * 1e3},
                                 {"resident_mb", resident_mb()}};
    std::printf("%s\n", figures.dump().c_str());
    if (!o.json.empty() && !(std::ofstream(o.json) << figures.dump(2) << '\n'))
      throw adtr::file_error(o.json, "cannot be written");
  } catch (const adtr::Error& e) {
    std::fprintf(stderr, "adtr_benchmark: %s\n", e.what());
    return 1;
  }
}
