/// adtr_paper: the experiments of the paper (You et al.), each from one command.
///
///     adtr_paper mvtec --data DIR --backbone WEIGHTS --out DIR
///     adtr_paper neighbours --data DIR --backbone WEIGHTS --out DIR
///     adtr_paper cifar --data DIR --cifar100 DIR --class automobile --backbone WEIGHTS --out DIR
///     adtr_paper ablations --data DIR --backbone WEIGHTS --out DIR
///     adtr_paper figures --data DIR --model MODEL --out DIR
///
/// To continue a killed run, start it again: rows of --out/results.json that were made with the same settings are kept,
/// and the others are computed.
#include <cstdio>
#include <exception>
#include <limits>

#include <CLI/CLI.hpp>

#include "experiments.hpp"

namespace {

constexpr auto most = std::numeric_limits<int>::max();

CLI::App& add(CLI::App& app, const char* name, const char* what, paper::Options& o, const char* data) {
  CLI::App& c = *app.add_subcommand(name, what);
  c.add_option("--data", o.data, data)->required();
  c.add_option("--out", o.out, "Folder for results, models and checkpoints")->required();
  c.add_option("--threads", o.threads, "Number of threads; 0 uses every processor")->check(CLI::Range(0, 4096));
  return c;
}

void add_backbones(CLI::App& c, paper::Options& o) {
  c.add_option("--backbone", o.backbones, "Weights of backbones (safetensors), one or more")->required();
  c.add_option("--architecture", o.architecture, "Architecture of the backbone, if its file does not name it");
  c.add_option("--seeds", o.seeds, "Random seeds; each gives a row")->capture_default_str();
}

CLI::App& add_training(CLI::App& app, const char* name, const char* what, paper::Options& o, const char* data) {
  CLI::App& c = add(app, name, what, o, data);
  add_backbones(c, o);
  c.add_option("--recipe", o.recipe, "Training recipe: fast (minutes) or paper (as published; hours)")
      ->check(CLI::IsMember({"fast", "paper"}))
      ->capture_default_str();
  c.add_flag("--mirror", o.mirror, "Also train on mirrored images; an epoch takes four times as long");
  c.add_option("--epochs", o.epochs, "Number of passes over good images only [fast 20, paper 500]")
      ->check(CLI::Range(1, most));
  c.add_option("--batch", o.batch, "Images per step [16; cifar 128]")->check(CLI::Range(1, most));
  c.add_option("--learning-rate", o.learning_rate, "Peak learning rate [the recipe's]");
  c.add_option("--jitter", o.jitter, "Noise added to the features, relative to each token's RMS [fast 0.3, paper 0]");
  c.add_option("--checkpoint-seconds", o.checkpoint_seconds,
               "Minimum seconds between checkpoints; 0 writes one every epoch")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  c.add_option("--curve", o.curve, "Also measure every N epochs; 0 measures only at the end")
      ->check(CLI::Range(0, most));
  return c;
}

void add_plus(CLI::App& c, paper::Options& o) {
  c.add_option("--epochs-plus", o.epochs_plus, "Number of passes of the second stage, with anomalies [the recipe's]")
      ->check(CLI::Range(1, most));
}

int run(int argc, char** argv) {
  CLI::App app("The experiments of the paper: trains, measures, and writes results.json, .csv and .md");
  app.require_subcommand(1);
  paper::Options mvtec, neighbours, ablations, figures;
  paper::CifarOptions cifar;
  bool no_plus = false;
  std::string model;
  CLI::App& m = add_training(app, "mvtec", "ADTR and ADTR+ on every category", mvtec,
                             "A folder of categories in MVTec's layout, or one category");
  add_plus(m, mvtec);
  m.add_flag("--no-plus", no_plus, "Train ADTR only");
  m.callback([&] { paper::run_mvtec(mvtec, !no_plus); });

  adtr::Index bank = 0;
  CLI::App& n = add(app, "neighbours", "The nearest-neighbour score on the same features, to compare with", neighbours,
                    "A folder of categories in MVTec's layout, or one category");
  add_backbones(n, neighbours);
  n.add_option("--bank", bank, "Number of training features to keep, drawn at random; 0 keeps all")
      ->check(CLI::Range(0, most));
  n.callback([&] { paper::run_neighbours(neighbours, bank); });

  CLI::App& c = add_training(app, "cifar", "One class of CIFAR-10 against the others", cifar,
                             "Folder of CIFAR-10's data_batch_*.bin and test_batch.bin");
  add_plus(c, cifar);
  c.add_option("--cifar100", cifar.cifar100, "Folder of CIFAR-100's train.bin; also trains ADTR+ with its images");
  c.add_option("--class", cifar.classes, "Normal classes, one or more: automobile, horse, ...")->required();
  c.add_option("--images", cifar.images, "Number of images of the class to train with [all]")
      ->check(CLI::Range(1, most));
  c.add_option("--test-seed", cifar.test_seed, "Random seed that chooses the test images of the other classes")
      ->capture_default_str();
  c.callback([&] { paper::run_cifar(cifar); });

  CLI::App& a = add_training(app, "ablations", "Without the query, without attention, CNN, pixels, backbones, taps",
                             ablations, "A category in MVTec's layout");
  a.callback([&] { paper::run_ablations(ablations); });

  CLI::App& f =
      add(app, "figures", "Samples of confetti; sample, truth and score map", figures, "A category in MVTec's layout");
  f.add_option("--model", model, "Trained model that computes the maps");
  f.add_option("--seeds", figures.seeds, "Random seeds; the first one draws the confetti")->capture_default_str();
  f.callback([&] { paper::make_figures(figures, model); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adtr_paper: %s\n", e.what());
    return 1;
  }
}
