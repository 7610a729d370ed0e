/// Compares a whole training run with the CUDA kernels, from image files to a model file, with one on the Cpu backend.
#include <fstream>
#include <iterator>

#include "adtr/data/image_file.hpp"
#include "adtr/train/train_model.hpp"
#include "cuda/backends.hpp"
#include "models/small_model.hpp"

namespace {

using adtr::Index;

/// Six images and a folder for models, which is removed with this object.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("adtr_cuda_run_" + std::to_string(getpid()));
  std::vector<adtr::Sample> images;
  Folder() {
    std::filesystem::create_directory(path);
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const std::filesystem::path file = path / (std::to_string(seed) + ".png");
      adtr::write_png(file, small_model::picture(40, 50, seed));
      adtr::Sample sample;
      sample.path = file;
      images.push_back(sample);
    }
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("A training run with the CUDA kernels gives the model that the Cpu backend gives") {
  const Folder folder;
  const small_model::File start;
  adtr::TrainingRequest request;
  request.start = start.path;
  request.good = folder.images;
  request.hold_out = 0.3;
  request.options = adtr::training_options(adtr::Recipe::fast);
  request.options.epochs = 2;
  request.options.batch = 2;
  request.options.jitter = 0.3;
#ifdef ADTR_SANITIZED  // with anomalies, a run does more
  request.options.loss = adtr::Loss::image;
#else
  request.options.loss = GENERATE(adtr::Loss::norm, adtr::Loss::image);
#endif
  request.confetti = request.options.loss == adtr::Loss::image;

  const auto train = [&]<class B>(const char* name, const typename B::Context& context) {
    request.out = (folder.path / name).string();
    return adtr::train_model<B, small_model::Networks>(request, context);
  };
  const adtr::TrainingResult gpu =
      train.operator()<suite::CudaBackend>("gpu", suite::device_only(adtr::cuda::Precision::float32));
  const adtr::TrainingResult cpu = train.operator()<adtr::Cpu>("cpu", adtr::Cpu::Context(1));
  REQUIRE(gpu.losses.size() == cpu.losses.size());
  for (std::size_t i = 0; i < cpu.losses.size(); ++i) CHECK(gpu.losses[i] == Approx(cpu.losses[i]).epsilon(1e-3));
  REQUIRE(gpu.threshold.has_value());
  CHECK(gpu.threshold->value == Approx(cpu.threshold->value).epsilon(1e-2));

  auto of_gpu = adtr::Detector<adtr::Cpu, small_model::Networks>::load((folder.path / "gpu").string(), 1);
  auto of_cpu = adtr::Detector<adtr::Cpu, small_model::Networks>::load((folder.path / "cpu").string(), 1);
  auto of_start = adtr::Detector<adtr::Cpu, small_model::Networks>::load(start.path, 1);
  const adtr::Image image = small_model::picture(40, 50, 9);
  const double score = of_cpu.detect(image).score;
  CHECK(of_gpu.detect(image).score == Approx(score).epsilon(1e-2));
  CHECK(std::abs(of_start.detect(image).score - score) > 0.1 * score);

  if (!request.confetti) return;  // once is enough for the rest
  // A run that is cancelled after its first step resumes to the same file.
  request.out = (folder.path / "again").string();
  adtr::TrainingProgress progress;
  progress.cancelled = [asked = 0]() mutable { return ++asked == 6 + 4 + 1; };
  const auto again = [&] {
    return adtr::train_model<suite::CudaBackend, small_model::Networks>(
        request, suite::device_only(adtr::cuda::Precision::float32), progress);
  };
  REQUIRE_THROWS_WITH(again(), ContainsSubstring("training was interrupted in epoch 1 of 2"));
  request.resume = true;
  CHECK(again().losses == gpu.losses);
  const auto bytes = [&](const char* name) {
    std::ifstream in(folder.path / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(bytes("again") == bytes("gpu"));
}
