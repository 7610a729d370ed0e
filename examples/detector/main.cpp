/// adtr: trains a detector of visual anomalies on good images, measures it, and detects with it.
///
///     adtr train --data DIR --backbone WEIGHTS --out MODEL
///     adtr evaluate --model MODEL --data DIR
///     adtr detect --model MODEL IMAGE...
///     adtr info FILE
///
/// Exit status: 0 all done; 1 a failure, or some inputs could not be judged, all of them named; 2 wrong usage; 130 or
/// 143 interrupted by SIGINT or SIGTERM, with a word on what was kept. A failure is one sentence on stderr.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <exception>
#include <limits>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include "adtr/core/error.hpp"
#include "backends.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "output.hpp"

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A number in [low, high), or in (low, high) with `open`. CLI11's own ranges let NaN through.
CLI::Validator number_in(double low, double high, const char* description, bool open = false) {
  const auto check = [=](const std::string& text) -> std::string {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fits =
        error == std::errc{} && end == text.data() + text.size() && (open ? value > low : value >= low) && value < high;
    return fits ? "" : "expected a number " + std::string(description) + ", found " + text;
  };
  return CLI::Validator(check, description);
}

/// A path that a shell left empty ("$UNSET") is a mistake, not the folder that one stands in.
CLI::Validator path_text() {
  return CLI::Validator(
      [](const std::string& text) { return text.empty() ? "expected a path, found an empty text" : ""; }, "");
}

void add_common(CLI::App& command, program::CommonOptions& o) {
  command.add_option("--backend", o.backend, "What computes: cpu, eigen (portable), reference (slow), cuda (a GPU)")
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
          .add_option("--precision", o.precision,
                      "With --backend cuda: what factors of products are rounded to, for tensor cores")
          ->check(CLI::IsMember({"float32", "tf32", "bf16"}))
          ->capture_default_str();
  command.parse_complete_callback([&o, precision] {
    if (precision->count() > 0 && o.backend != "cuda")
      throw CLI::ValidationError("--precision", "expected with --backend cuda alone, found --backend " + o.backend);
  });
  command.add_option("--threads", o.threads, "Threads; 0 for all that the machine has")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

void add_train(CLI::App& app, program::TrainOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("train", "Train a model on images of good parts");
  constexpr auto most = std::numeric_limits<int>::max();
  c.add_option("--data", o.data, "Folder of good images, or with train/good in it")->check(path_text())->required();
  CLI::App& origin = *c.add_option_group("--backbone, --start", "Where training begins");
  origin.add_option("--backbone", o.backbone, "Weights of the frozen backbone (safetensors)")->check(path_text());
  origin.add_option("--start", o.start, "Model to go on from, with its backbone, image size and grid")
      ->check(path_text());
  origin.require_option(1);
  c.add_option("--out", o.out, "Model to write")->check(path_text())->required();
  c.add_option("--architecture", o.architecture, "What the weights are for, where they do not say it");
  c.add_option("--anomalies", o.anomalies, "Train with made-up defects too: confetti")
      ->check(CLI::IsMember({"confetti"}));
  c.add_option("--defects", o.defects, "Train with real defects too: folder with test/KIND, perhaps ground_truth/KIND")
      ->check(path_text());
  c.add_option("--loss", o.loss, "With anomalies: pixel (masks) or image (labels) [pixel, image where masks lack]")
      ->check(CLI::IsMember({"pixel", "image"}));
  c.add_option("--alpha", o.alpha, "Weight of the loss's term for anomalies")
      ->check(number_in(0.0, infinity, "from 0"))
      ->capture_default_str();
  c.add_option("--top-k", o.top_k, "Distances of an image that the loss image averages")
      ->check(CLI::Range(1, most))
      ->capture_default_str();
  c.add_option("--anomaly-probability", o.anomaly_probability, "That an image of a batch is replaced by an anomaly")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"))
      ->capture_default_str();
  c.add_option("--recipe", o.recipe, "fast (minutes), or paper (the publication's, hours)")
      ->check(CLI::IsMember({"fast", "paper"}))
      ->capture_default_str();
  c.add_flag("--mirror", o.mirror,
             "Train on the mirror images too, where parts may lie any way round: an epoch is four times as long");
  c.add_option("--epochs", o.epochs, "Passes over the images [fast 20, paper 500; with --start 10, 300]")
      ->check(CLI::Range(1, most));
  c.add_option("--batch", o.batch, "Images a step [16]")->check(CLI::Range(1, most));
  c.add_option("--learning-rate", o.learning_rate,
               "Of AdamW, at its highest [fast 0.004, with --start 0.0004; paper 0.0001]")
      ->check(number_in(0.0, infinity, "above 0", true));
  c.add_option("--weight-decay", o.weight_decay, "Of AdamW [0.0001]")->check(number_in(0.0, infinity, "from 0"));
  c.add_option("--dropout", o.dropout, "[fast 0, paper 0.1]")->check(number_in(0.0, 1.0, "from 0 to below 1"));
  c.add_option("--jitter", o.jitter, "Noise on what the network sees, of each token's size [fast 0.3, paper 0]")
      ->check(number_in(0.0, infinity, "from 0"));
  c.add_option("--clip", o.clip, "Largest norm of a gradient; 0 for any")
      ->check(number_in(0.0, infinity, "from 0"))
      ->capture_default_str();
  c.add_option("--image-size", o.image_size, "Side that images are resized to; with --start the model's")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  c.add_option("--grid", o.grid, "Side of the feature map")->check(CLI::Range(1, 65536))->capture_default_str();
  c.add_option("--hold-out", o.hold_out,
               "Share of the good images to keep apart, for a threshold [0.2 of 50 images or more, at most 300 images]")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"));
  c.add_option("--false-alarm-rate", o.false_alarm_rate, "Share of the held-out images that the threshold may reject")
      ->check(number_in(0.0, 1.0, "from 0 to below 1"))
      ->capture_default_str();
  c.add_option("--seed", o.seed, "Of every random choice")->check(CLI::NonNegativeNumber)->capture_default_str();
  c.add_flag("--allow", o.allow,
             "Go on where labels contradict each other or most images were left out; both are listed");
  c.add_flag("--resume", o.resume, "Go on with MODEL.checkpoint of an interrupted run");
  c.add_option("--checkpoint-seconds", o.checkpoint_seconds, "Least time between checkpoints; 0 for every epoch")
      ->check(number_in(0.0, infinity, "from 0"))
      ->capture_default_str();
  c.add_option("--cache-memory", o.cache_mebibytes, "MiB of features to keep in memory; beyond, a file")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 40))
      ->capture_default_str();
  c.add_option("--json", o.json, "File for what was done, as JSON")->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::train(o); });
}

void add_evaluate(CLI::App& app, program::EvaluateOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("evaluate", "Measure a model on a test set");
  c.add_option("--model", o.model, "Model that adtr train wrote")->check(path_text())->required();
  c.add_option("--data", o.data, "Folder with test/good, test/KIND and perhaps ground_truth/KIND")
      ->check(path_text())
      ->required();
  c.add_flag("--allow", o.allow,
             "Go on where labels contradict each other or most images were left out; both are listed");
  c.add_option("--json", o.json, "File for the figures and scores, as JSON")->check(path_text());
  c.add_option("--maps", o.maps, "Folder for each image's scores (.npy) and heat map (.png)")->check(path_text());
  c.add_option("--report", o.report, "HTML page to write, with best and worst cases")->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::evaluate(o); });
}

void add_detect(CLI::App& app, program::DetectOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("detect", "Score images");
  c.add_option("--model", o.model, "Model that adtr train wrote")->check(path_text())->required();
  c.add_option("images", o.images, "PNG, JPEG or BMP files, or folders of them")->check(path_text())->required();
  c.add_option("--threshold", o.threshold, "Replaces the model's: a score at or above it is anomalous")
      ->check(number_in(-infinity, infinity, "that is finite", true));
  c.add_flag("--allow", o.allow, "Go on where most files of a folder were left out; they are listed");
  c.add_option("--json", o.json, "File for the results, as JSON")->check(path_text());
  c.add_option("--maps", o.maps, "Folder for each image's scores (.npy) and heat map (.png)")->check(path_text());
  add_common(c, o);
  c.callback([&o, &status] { status = program::detect(o); });
}

void add_info(CLI::App& app, program::InfoOptions& o, int& status) {
  CLI::App& c = *app.add_subcommand("info", "Say what a weights or model file holds");
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
  CLI::App app("Detects visual anomalies with ADTR, learning from good images alone.", "adtr");
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
