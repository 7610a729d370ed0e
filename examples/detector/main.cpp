/// adtr: trains a detector of visual anomalies on good images, measures it, and detects with it.
///
///     adtr train --data DIR --backbone WEIGHTS --out MODEL
///     adtr evaluate --model MODEL --data DIR
///     adtr detect --model MODEL IMAGE...
///     adtr info FILE
///
/// Exit status: 0 all done; 1 a failure, or some inputs could not be judged, all of them named; 2 wrong usage; 130 or
/// 143 interrupted by SIGINT or SIGTERM, with a word on what was kept. A failure is one sentence on stderr.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "adtr/core/error.hpp"
#include "adtr/core/number_text.hpp"
#include "backends.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "output.hpp"
#include "rows.hpp"

namespace {

using adtr::TrainingOptions;
using program::add_by_recipe;
using program::add_choice;
using program::add_choice_by_recipe;
using program::add_training;
using program::infinity;
using program::max_count;
using program::number_in;
using program::path_text;

void add_common(CLI::App& command, program::CommonOptions& o) {
  command
      .add_option("--backend", o.backend,
                  "Backend that computes: cpu, eigen (portable), reference (slow) or cuda (a GPU)")
      ->check([](const std::string& name) {
        try {
          static_cast<void>(program::backend_functions(name));
          return std::string();
        } catch (const adtr::Error& e) {
          return std::string(e.what());
        }
      })
      ->capture_default_str();
  const CLI::Option* const precision =
      command
          .add_option("--precision", o.precision, "Precision of matrix products on tensor cores, with --backend cuda")
          ->check(CLI::IsMember({"float32", "tf32", "bf16"}))
          ->capture_default_str();
  command.parse_complete_callback([&o, precision] {
    if (precision->count() > 0 && o.backend != "cuda")
      throw CLI::ValidationError("--precision", "expected with --backend cuda alone, found --backend " + o.backend);
  });
  command.add_option("--threads", o.threads, "Number of threads; 0 uses every processor")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

void add_train(CLI::App& app, program::TrainOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("train", "Train a model on images of good parts");
  adtr::TrainingRequest& r = o.request;
  c.add_option("--data", o.data, "Folder of good images, or a folder that contains train/good")
      ->check(path_text())
      ->required();
  CLI::App& origin = *c.add_option_group("--backbone, --start", "Where training starts");
  origin.add_option("--backbone", r.weights, "Weights of the frozen backbone (safetensors)")->check(path_text());
  origin.add_option("--start", r.start, "Model to continue from; it sets backbone, image size and grid")
      ->check(path_text());
  origin.require_option(1);
  c.add_option("--out", r.out, "Model to write")->check(path_text())->required();
  c.add_option("--architecture", r.architecture, "Architecture of the backbone, if its file does not name it");
  c.add_option_function<std::string>(
       "--anomalies", [&r](const std::string&) { r.confetti = true; }, "Also train with synthetic defects: confetti")
      ->check(CLI::IsMember({"confetti"}));
  c.add_option("--defects", o.defects,
               "Also train with real defects: folder with test/KIND and, for masks, ground_truth/KIND")
      ->check(path_text());
  add_choice(c, "--loss", o.loss, {adtr::Loss::pixel, adtr::Loss::image},
             "Loss for anomalies: pixel (needs masks) or image (labels) [pixel; image if masks are missing]");
  add_training(c, o.changes, "--alpha", &TrainingOptions::alpha, "Weight of the anomalies in the loss")
      ->check(number_in(0.0, infinity, "from 0"));
  add_training(c, o.changes, "--top-k", &TrainingOptions::top_k,
               "Number of largest distances that --loss image averages")
      ->check(CLI::Range(1, max_count));
  add_training(c, o.changes, "--anomaly-probability", &TrainingOptions::anomaly_probability,
               "Probability that an anomaly replaces an image of a batch")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"));
  add_choice(c, "--recipe", r.options.recipe, {adtr::Recipe::fast, adtr::Recipe::paper},
             "Training recipe: fast (minutes) or paper (as published; hours)");
  c.add_flag(
      "--mirror", r.mirror,
      "Also train on mirrored images, for parts that may lie in any orientation; an epoch takes four times as long");
  add_by_recipe(c, o.changes, "--epochs", &TrainingOptions::epochs, "Number of passes over the images")
      ->check(CLI::Range(1, max_count));
  add_by_recipe(c, o.changes, "--batch", &TrainingOptions::batch, "Images per step")->check(CLI::Range(1, max_count));
  add_by_recipe(c, o.changes, "--learning-rate", &TrainingOptions::learning_rate, "Peak learning rate")
      ->check(number_in(0.0, infinity, "above 0", true));
  add_by_recipe(c, o.changes, "--weight-decay", &TrainingOptions::weight_decay, "Weight decay of AdamW")
      ->check(number_in(0.0, infinity, "from 0"));
  add_by_recipe(c, o.changes, "--dropout", &TrainingOptions::dropout, "Dropout rate of the transformer")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"));
  add_training(
      c, o.changes, "--bank", &TrainingOptions::bank,
      "Number of features of good images that the model keeps for its score; 0 keeps none, or with --start as many "
      "as its model has")
      ->check(CLI::Range(0, 1000000));
  add_by_recipe(c, o.changes, "--jitter", &TrainingOptions::jitter,
                "Noise added to the features, relative to each token's RMS")
      ->check(number_in(0.0, infinity, "from 0"));
  add_choice_by_recipe(c, o.changes, "--pooling", &TrainingOptions::pooling,
                       {adtr::Pooling::bilinear, adtr::Pooling::area},
                       "How features are resized to the grid; --start takes the model's");
  add_training(c, o.changes, "--clip", &TrainingOptions::clip, "Clip the gradient to this norm; 0 does not clip")
      ->check(number_in(0.0, infinity, "from 0"));
  c.add_option("--image-size", r.image_size, "Images are resized to this side, in pixels; --start takes the model's")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  c.add_option("--grid", r.grid, "Side of the feature map, in tokens")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  c.add_option(
       "--hold-out", r.hold_out,
       "Fraction of the good images held out to set the threshold [0.2 of 50 images or more, at most 300 images]")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"));
  c.add_option("--false-alarm-rate", r.false_alarm_rate,
               "Fraction of the held-out images that the threshold may reject")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"))
      ->capture_default_str();
  add_training(c, o.changes, "--seed", &TrainingOptions::seed, "Random seed")->check(CLI::NonNegativeNumber);
  c.add_flag("--allow", o.scan.allow,
             "Continue although labels contradict each other or most images were left out; both are listed");
  c.add_flag("--resume", r.resume, "Resume an interrupted run from MODEL.checkpoint");
  c.add_option("--checkpoint-seconds", r.checkpoint_seconds,
               "Minimum seconds between checkpoints; 0 writes one every epoch")
      ->check(number_in(0.0, infinity, "from 0"))
      ->capture_default_str();
  c.add_option_function<std::uint64_t>(
       "--cache-memory", [&r](const std::uint64_t& mebibytes) { r.cache_memory = mebibytes << 20; },
       "Features to keep in memory, in MiB; the rest goes to a temporary file")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 40))
      ->default_str(std::to_string(r.cache_memory >> 20));
  c.add_option("--json", o.json, "JSON file to write, with what was done")->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::train(o); });
}

void add_evaluate(CLI::App& app, program::EvaluateOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("evaluate", "Measure a model on a test set");
  c.add_option("--model", o.model, "Model that adtr train wrote")->check(path_text())->required();
  c.add_option("--data", o.data, "Folder with test/good, test/KIND and, for masks, ground_truth/KIND")
      ->check(path_text())
      ->required();
  c.add_flag("--allow", o.scan.allow,
             "Continue although labels contradict each other or most images were left out; both are listed");
  std::vector<std::string> scorings{"all"};
  for (std::size_t i = 0; i < adtr::scoring_methods; ++i) scorings.emplace_back(name_of(static_cast<adtr::Scoring>(i)));
  c.add_option("--scoring", o.scoring,
               "Scoring method instead of the model's; all prints the figures of every method that the model can use")
      ->check(CLI::IsMember(scorings));
  c.add_option("--json", o.json, "JSON file to write, with figures and scores")->check(path_text());
  c.add_option("--maps", o.maps, "Folder to write each image's scores (.npy) and heat map (.png) to")
      ->check(path_text());
  c.add_option("--report", o.report, "HTML page to write, with the best and worst cases")->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::evaluate(o); });
}

void add_detect(CLI::App& app, program::DetectOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("detect", "Score images");
  c.add_option("--model", o.model, "Model that adtr train wrote")->check(path_text())->required();
  c.add_option("images", o.images, "PNG, JPEG or BMP files, or folders of them")->check(path_text())->required();
  c.add_option("--threshold", o.threshold, "Threshold instead of the model's; scores at or above it are anomalous")
      ->check(number_in(-infinity, infinity, "that is finite", true));
  c.add_flag("--allow", o.scan.allow, "Continue although most files of a folder were left out; they are listed");
  c.add_option("--json", o.json, "JSON file to write, with the results")->check(path_text());
  c.add_option("--maps", o.maps, "Folder to write each image's scores (.npy) and heat map (.png) to")
      ->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::detect(o); });
}

void add_info(CLI::App& app, program::InfoOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("info", "Show what a weights or model file contains");
  c.add_option("file", o.file, "safetensors file")->check(path_text())->required();
  c.add_flag("--tensors", o.tensors, "List the tensors");
  add_common(c, o);
  c.callback([&o, &status] { status = program::info(o); });
}

int fail(int status, const std::string& sentence) {
  program::say(sentence);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes a sentence, like a full disk
  program::catch_interrupts();
  CLI::App app("Finds visual anomalies with ADTR, which learns from good images only.", "adtr");
  program::TrainOptions train;
  program::EvaluateOptions evaluate;
  program::DetectOptions detect;
  program::InfoOptions info;
  int status = 0;
  add_train(app, train, status);
  add_evaluate(app, evaluate, status);
  add_detect(app, detect, status);
  add_info(app, info, status);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty())
      return fail(2, "expected a command: train, evaluate, detect or info (see adtr --help)");
    if (std::fflush(stdout) != 0) return fail(1, "standard output cannot be written");
    return status;
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& usage) {
    return fail(2, std::string(usage.what()) + " (see adtr --help)");
  } catch (const adtr::Error& error) {
    const bool cancelled = error.code() == adtr::ErrorCode::cancelled && program::interrupted() != 0;
    return fail(cancelled ? 128 + program::interrupted() : 1, error.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory in adtr " + app.get_subcommands().front()->get_name());
  } catch (const std::exception& error) {
    return fail(1, error.what());
  }
}
