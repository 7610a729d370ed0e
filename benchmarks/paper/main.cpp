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
#include <string>

#include <CLI/CLI.hpp>

#include "experiments.hpp"
#include "rows.hpp"

namespace {

using adtr::TrainingOptions;
using program::add_by_recipe;
using program::max_count;
using program::recipe_defaults;

CLI::App& add(CLI::App& app, const char* name, const char* what, paper::Options& o, const char* data) {
  CLI::App& c = *app.add_subcommand(name, what);
  c.add_option("--data", o.data, data)->required();
  c.add_option("--out", o.out, "Folder for results, models and checkpoints")->required();
  c.add_option("--threads", o.request.threads, "Number of threads; 0 uses every processor")->check(CLI::Range(0, 4096));
  return c;
}

void add_backbones(CLI::App& c, paper::Options& o) {
  c.add_option("--backbone", o.backbones, "Weights of backbones (safetensors), one or more")->required();
  c.add_option("--architecture", o.architecture, "Architecture of the backbone, if its file does not name it");
  c.add_option("--seeds", o.seeds, "Random seeds; each gives a row")->capture_default_str();
}

void add_pooling(CLI::App& c, paper::Options& o) {
  program::add_choice_by_recipe(c, o.changes, "--pooling", &TrainingOptions::pooling,
                                {adtr::Pooling::bilinear, adtr::Pooling::area}, "How features are resized to the grid");
}

CLI::App& add_training(CLI::App& app, const char* name, const char* what, paper::Options& o, const char* data) {
  CLI::App& c = add(app, name, what, o, data);
  add_backbones(c, o);
  program::add_choice(c, "--recipe", o.request.options.recipe, {adtr::Recipe::fast, adtr::Recipe::paper},
                      "Training recipe: fast (minutes) or paper (as published; hours)");
  c.add_flag("--mirror", o.request.mirror, "Also train on mirrored images; an epoch takes four times as long");
  add_by_recipe(c, o.changes, "--epochs", &TrainingOptions::epochs, "Number of passes over good images only",
                recipe_defaults(&TrainingOptions::epochs, false))
      ->check(CLI::Range(1, max_count));
  add_by_recipe(c, o.changes, "--batch", &TrainingOptions::batch, "Images per step",
                "[" + std::to_string(TrainingOptions{}.batch) + "; cifar " + std::to_string(paper::cifar_batch) + "]")
      ->check(CLI::Range(1, max_count));
  add_by_recipe(c, o.changes, "--learning-rate", &TrainingOptions::learning_rate, "Peak learning rate",
                "[the recipe's]");
  program::add_training(c, o.changes, "--bank", &TrainingOptions::bank,
                        "Number of features of good images that the model keeps for its score; 0 keeps none")
      ->check(CLI::Range(0, 1000000));
  add_by_recipe(c, o.changes, "--jitter", &TrainingOptions::jitter,
                "Noise added to the features, relative to each token's RMS",
                recipe_defaults(&TrainingOptions::jitter, false));
  add_pooling(c, o);
  c.add_option("--checkpoint-seconds", o.request.checkpoint_seconds,
               "Minimum seconds between checkpoints; 0 writes one every epoch")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  c.add_option("--curve", o.curve, "Also measure every N epochs; 0 measures only at the end")
      ->check(CLI::Range(0, max_count));
  return c;
}

void add_plus(CLI::App& c, paper::Options& o) {
  c.add_option("--epochs-plus", o.epochs_plus, "Number of passes of the second stage, with anomalies [the recipe's]")
      ->check(CLI::Range(1, max_count));
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
  add_pooling(n, neighbours);
  n.add_option("--bank", bank, "Number of training features to keep, chosen by greedy k-center; 0 keeps all")
      ->check(CLI::Range(0, max_count));
  n.callback([&] { paper::run_neighbours(neighbours, bank); });

  CLI::App& c = add_training(app, "cifar", "One class of CIFAR-10 against the others", cifar,
                             "Folder of CIFAR-10's data_batch_*.bin and test_batch.bin");
  add_plus(c, cifar);
  c.add_option("--cifar100", cifar.cifar100, "Folder of CIFAR-100's train.bin; also trains ADTR+ with its images");
  c.add_option("--class", cifar.classes, "Normal classes, one or more: automobile, horse, ...")->required();
  c.add_option("--images", cifar.images, "Number of images of the class to train with [all]")
      ->check(CLI::Range(1, max_count));
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
