/// Trains a model on a folder of images of good parts; no defects are needed.
///
///     02_train photographs/ efficientnet_lite0.safetensors part.adtr
///
/// docs/weights.md says how to get the weights.
#include <cstdio>

#include <adtr/train/train_model.hpp>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: 02_train FOLDER WEIGHTS MODEL\n", stderr);
    return 2;
  }
  adtr::TrainingRequest request;
  request.good = adtr::scan_training(argv[1]);
  request.weights = argv[2];
  request.out = argv[3];
  request.options = adtr::training_options(adtr::Recipe::fast);
  request.options.epochs = 20;
  // If there are 50 images or more, a fifth of them (at most 300) is held out for the threshold. request.hold_out = 0.1
  // holds out a tenth of any number of images.

  adtr::TrainingProgress progress;
  progress.epoch = [](const adtr::TrainingProgress::Epoch& e) {
    if (e.loss) std::printf("epoch %td of %td: loss %.4g\n", e.epoch, e.epochs, *e.loss);
  };
  const adtr::TrainingResult result = adtr::train_model<adtr::Cpu>(request, progress);
  if (result.threshold)
    std::printf("threshold %.17g; expect %.1f %% of good parts to score above it\n", result.threshold->value,
                100.0 * result.threshold->expected_rate);
  const std::string advice = adtr::threshold_advice(result);
  if (!advice.empty()) std::printf("%s\n", advice.c_str());
  return 0;
} catch (const adtr::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
