// Times one part of one network on one backend, with random weights unless a model file is given:
//   adtr_benchmark --architecture efficientnet_b4 --part whole --backend cpu --batch 1 --threads 1 --runs 50
// whole: image tensor to score map; backbone: image tensor to concatenated map; transformer: map to reconstruction;
// train: one step (forward, backward, AdamW) on precomputed features.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/eigen.hpp"
#include "adtr/backend/reference.hpp"
#include "parts.hpp"

#ifdef ADTR_PROGRAM_CUDA
namespace adtr_benchmark {
Timing run_on_cuda(const Options& o);  // cuda.cu
}
#endif

namespace {

using adtr_benchmark::Options;
using adtr_benchmark::Timing;

const std::vector<std::string> backends{"cpu", "eigen", "reference",
#ifdef ADTR_PROGRAM_CUDA
                                        "cuda"
#endif
};

Timing run_on_backend(const Options& o) {
#ifdef ADTR_PROGRAM_CUDA
  if (o.backend == "cuda") return adtr_benchmark::run_on_cuda(o);
#endif
  const auto run_on = [&]<class B>() { return adtr_benchmark::run<B>(o, typename B::Context(o.threads)); };
  if (o.backend == "cpu") return run_on.operator()<adtr::Cpu>();
  if (o.backend == "eigen") return run_on.operator()<adtr::EigenBackend>();
  return run_on.operator()<adtr::Reference<float>>();
}

nlohmann::json figures_of(const Options& o, const Timing& t) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double median = t.quantile(0.5), gflops = median > 0.0 ? t.gflop / median * 1e3 : 0.0;
  // For a GPU, the share of a processor's peak is meaningless.
  const double peak =
      o.backend == "cuda"
          ? 0.0
          : t.peak_gflops * (o.threads > 0 ? o.threads : static_cast<int>(std::thread::hardware_concurrency()));
  return {{"architecture", o.architecture},
          {"part", o.part},
          {"backend", o.backend},
          {"precision", o.precision},
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
  app.add_option("--architecture", o.architecture, "Architecture of the backbone, as in `adtr train`")
      ->capture_default_str();
  app.add_option("--part", o.part)
      ->check(CLI::IsMember({"whole", "backbone", "transformer", "train"}))
      ->capture_default_str();
  app.add_option("--backend", o.backend)->check(CLI::IsMember(backends))->capture_default_str();
  const CLI::Option* const precision =
      app.add_option("--precision", o.precision, "Precision of matrix products, with --backend cuda")
          ->check(CLI::IsMember({"float32", "tf32", "bf16"}))
          ->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--threads", o.threads, "0: all")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--runs", o.schedule.runs)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warm-up", o.schedule.warm_up, "Number of calls before the timed ones")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--serve", o.schedule.serve, "Make as many calls as each line of standard input requests");
  app.add_option("--dropout", o.dropout, "Dropout rate of --part train")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--model", o.model, "Model file that sets architecture and weights; not with --part train");
  app.add_option("--images", o.images,
                 "safetensors file with `images` (batch, 256, 256, 3); random images if not given");
  app.add_option("--result", o.result, "safetensors file to write the part's `result` to");
  app.add_option("--json", o.json, "JSON file to write the figures to");
  CLI11_PARSE(app, argc, argv);
  try {
    if (precision->count() > 0 && o.backend != "cuda")
      throw adtr::Error("--precision: expected --backend cuda, found --backend " + o.backend);
    if (!o.model.empty()) {
      const auto file = adtr::SafetensorsFile::open(o.model);
      o.architecture = adtr::name_of(adtr::read_description(file).architecture);
    }
    const nlohmann::json figures = figures_of(o, run_on_backend(o));
    std::printf("%s\n", figures.dump().c_str());
    if (!o.json.empty() && !(std::ofstream(o.json) << figures.dump(2) << '\n'))
      throw adtr::file_error(o.json, "cannot be written");
  } catch (const adtr::Error& e) {
    std::fprintf(stderr, "adtr_benchmark: %s\n", e.what());
    return 1;
  }
}
