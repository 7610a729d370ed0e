/// Whole networks with the CUDA backend, on a GPU or the emulator: detection and training as on the other backends,
/// with weights, activations and images in memory that the host cannot touch, and kernels that touch no other.
#include <limits>

#include "cuda/backends.hpp"
#include "models/small_model.hpp"
#include "train/small.hpp"

using adtr::Index;
using suite::CudaBackend;

namespace {

const CudaBackend::Context& device_only() {
  static const CudaBackend::Context context = suite::device_only(adtr::cuda::Precision::float32);
  return context;
}

/// The largest difference between numbers, relative to the largest expected one.
template <class A, class B>
double relative_deviation(const A& actual, const B& expected) {
  double farthest = 0.0, largest = 0.0;
  auto e = expected.begin();
  for (const auto a : actual) {
    farthest = std::max(farthest, std::abs(static_cast<double>(a) - static_cast<double>(*e)));
    largest = std::max(largest, std::abs(static_cast<double>(*e++)));
  }
  REQUIRE(largest > 0.0);
  return farthest / largest;
}

/// The position scores of a batch of images.
template <class N>
void position_scores(Index batch, std::span<const float> images, std::span<float> scores) {
  const small_model::ParametersOf<N> parameters;
  adtr::Model<typename N::type, CudaBackend> model(
      device_only(), {device_only(), parameters.backbone, adtr::Padding::same, adtr::Pooling::bilinear, batch},
      parameters.tensors);
  model.position_scores({images.data(), batch, 32, 32, 3}, scores);
}

/// The parameters after training with the CUDA kernels.
std::vector<float> train(const adtr::TrainingOptions& o, adtr::BatchSource<float>& batches,
                         const adtr::FeatureCache<float>& cache) {
  adtr::Trainer<small::Net, CudaBackend> trainer(device_only(), batches, o);
  auto p = trainer.parameters();
  adtr::initialise_identity<small::Net, float>(p, o.seed, adtr::PrincipalAxes::of<float>(cache.rows(), small::Net::C));
  while (trainer.state().epoch < o.epochs) trainer.run_epoch();
  const auto all = trainer.state().parameters.span();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("A detector on the CUDA backend agrees with one on the Cpu backend") {
  const small_model::File file;
  auto gpu = adtr::Detector<CudaBackend, small_model::Networks>::load(file.path, device_only());
  auto cpu = adtr::Detector<adtr::Cpu, small_model::Networks>::load(file.path, 1);
  auto shared = gpu.share();
  // The first detection runs kernel by kernel, the second is recorded, the others are runs of the record.
  std::vector<double> scores;
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1}}) {
    const adtr::Image image = small_model::picture(40, 50, seed);
    const adtr::Detection a = gpu.detect(image), b = cpu.detect(image);
    CHECK(relative_deviation(a.map, b.map) < 1e-5);
    CHECK(a.score == Approx(b.score).epsilon(1e-4));
    CHECK(shared.detect(image).score == a.score);
    scores.push_back(a.score);
  }
  CHECK(scores.front() == scores.back());
}

#ifndef ADTR_SANITIZED  // the kernels are under sanitizers in test_kernels.cpp, and the detector above
TEST_CASE("A detector with products on tensor cores is close to one in float") {
  using adtr::cuda::Precision;
  if (!device_only().tensor_cores()) return;
  const small_model::File file;
  const adtr::Image image = small_model::picture();
  const auto detect = [&](Precision precision) {
    const CudaBackend::Context context = suite::device_only(precision);
    return adtr::Detector<CudaBackend, small_model::Networks>::load(file.path, context).detect(image);
  };
  const adtr::Detection exact = detect(Precision::float32);
  const double tf32 = relative_deviation(detect(Precision::tf32).map, exact.map);
  const double bf16 = relative_deviation(detect(Precision::bf16).map, exact.map);
  CHECK(tf32 > 0.0);
  CHECK(tf32 < 2e-3);
  CHECK(bf16 > tf32);
  CHECK(bf16 < 2e-2);
}
#endif

TEST_CASE("A record contains operations and not their results, and must not wait") {
  const CudaBackend::Context& context = device_only();
  CudaBackend::Memory x(4), y(4);
  CudaBackend::Staging in(4), out(4);
  CudaBackend::Recording recording;
  const auto add = [&](float factor) {
    for (int i = 0; i < 4; ++i) in.data()[i] = factor * static_cast<float>(i + 1);
    recording.run(context, 0, [&] {
      CudaBackend::upload(context, in.data(), 4, x.data());
      CudaBackend::accumulate(context, {x.data(), 1, 4}, {y.data(), 1, 4});
      CudaBackend::download(context, y.data(), 4, out.data());
    });
    CudaBackend::wait(context);
    return std::vector<float>(out.data(), out.data() + 4);
  };
  CHECK((add(1.0F) == std::vector<float>{1, 2, 3, 4}));
  CHECK((add(10.0F) == std::vector<float>{11, 22, 33, 44}));
  CHECK((add(10.0F) == std::vector<float>{21, 42, 63, 84}));

  const auto wait = [&] { CudaBackend::wait(context); };
  recording.run(context, 1, wait);
#if defined(__CUDACC__)
  CHECK_THROWS_AS(recording.run(context, 1, wait), adtr::cuda::device::CudaError);
#else
  CHECK_THROWS_WITH(recording.run(context, 1, wait), ContainsSubstring("the host waits for the GPU"));
#endif
  CHECK_NOTHROW(CudaBackend::accumulate(context, {x.data(), 1, 4}, {y.data(), 1, 4}));  // x is 10, 20, 30, 40
  CHECK((add(0.0F) == std::vector<float>{31, 62, 93, 124}));
}

TEST_CASE("Images of a batch get the same scores as alone") {
  constexpr std::size_t image = 32 * 32 * 3, positions = 64, batch = 3;
  std::vector<float> images(batch * image), together(batch * positions), alone(batch * positions);
  adtr::RandomStream random(4, 4);
  for (float& x : images) x = static_cast<float>(random.uniform() - 0.5);
  position_scores<small_model::Network>(batch, images, together);
  for (std::size_t i = 0; i < batch; ++i)
    position_scores<small_model::Network>(1, std::span(images).subspan(i * image, image),
                                          std::span(alone).subspan(i * positions, positions));
  CHECK(together == alone);
}

TEST_CASE("Training with the CUDA kernels gives the oracle's parameters") {
#ifdef ADTR_SANITIZED  // runs the code of the other losses, too
  auto o = small::options(0.2);
  o.loss = adtr::Loss::image;
#else
  auto o = small::options(GENERATE(0.0, 0.2));
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::pixel, adtr::Loss::image);
#endif
  o.clip = 0.5;
  o.epochs = 2;
  o.top_k = 16;  // all of the small network's tokens
  // The device processes a batch as a whole, others in groups of four. Dropout masks are equal if a batch is one group.
  REQUIRE(o.batch <= 4);
  const std::vector<float> actual = [&] {
    adtr::FeatureCache<float> cache(small::images, small::tokens, small::channels, 1 << 30);
    small::fill(cache);
    return train(o, cache, cache);
  }();
  // AdamW divides by the magnitude of the gradient, so the rounding of gradients near zero visibly moves single
  // parameters.
  CHECK(relative_deviation(actual, small::train<adtr::Reference<double>>(o)) < 2e-2);
  CHECK(relative_deviation(actual, small::train<adtr::Cpu>(o)) < 2e-2);
}

TEST_CASE("A loss that is not a number is an error after the epoch") {
  adtr::FeatureCache<float> cache(4, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  cache.rows().data[0] = std::numeric_limits<float>::infinity();
  auto o = small::options();
  o.batch = 4;
  CHECK_THROWS_WITH(train(o, cache, cache), ContainsSubstring("diverged at step 1 "));
}

TEST_CASE("A training step's gradient on the CUDA backend is the oracle's") {
  auto o = small::options(0.1);
  const auto gradient = [&]<class B>(const typename B::Context& context) {
    using T = typename B::Scalar;
    adtr::FeatureCache<T> cache(4, small::tokens, small::channels, 1 << 30);
    small::fill(cache);
    adtr::Trainer<small::Net, B> trainer(context, cache, o);
    auto p = trainer.parameters();
    adtr::initialise<small::Net, T>(p, 1);
    std::vector<T> all{static_cast<T>(trainer.gradient(cache.rows(), 3))};
    all.insert(all.end(), trainer.gradients().data(), trainer.gradients().data() + trainer.gradients().size());
    return all;
  };
  const auto exact = gradient.operator()<adtr::Reference<double>>(adtr::Reference<double>::Context(1));
  CHECK(relative_deviation(gradient.operator()<CudaBackend>(device_only()), exact) < 1e-5);
}
