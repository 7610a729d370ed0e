/// Whole networks with the CUDA backend's kernels, on the emulator: detection and training as on the other backends,
/// with weights, activations and images in memory that the host cannot touch, and kernels that touch no other.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <limits>

#include "adtr/backend/cuda.hpp"
#include "models/small_model.hpp"
#include "train/small.hpp"

using adtr::CudaEmulator;
using adtr::Index;
using adtr::cuda::emulator::Access;
using adtr::cuda::emulator::Fault;
using adtr::cuda::emulator::FaultKind;
using adtr::cuda::emulator::Pace;

namespace {

/// Kernels get at the device's memory alone, and nothing runs before the host waits for it.
const CudaEmulator::Context& device_only() {
  static const CudaEmulator::Context context(1, Access::device, Pace::late);
  return context;
}

/// How far numbers are from others, relative to the largest of these.
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

/// The parameters after training with the CUDA kernels.
std::vector<float> train(const adtr::TrainingOptions& o, adtr::BatchSource<float>& batches,
                         const adtr::FeatureCache<float>& cache, const CudaEmulator::Context& context = device_only()) {
  adtr::Trainer<small::Net, CudaEmulator> trainer(context, batches, o);
  auto p = trainer.parameters();
  adtr::initialise_identity<small::Net, float>(p, o.seed, adtr::PrincipalAxes::of<float>(cache.rows(), small::Net::C));
  while (trainer.state().epoch < o.epochs) trainer.run_epoch();
  const auto all = trainer.state().parameters.span();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("A detector on the CUDA backend sees what one on the Cpu backend sees") {
  const small_model::File file;
  auto gpu = adtr::Detector<CudaEmulator, small_model::Networks>::load(file.path, device_only());
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

TEST_CASE("A detector with products on tensor cores is near one in floats") {
  using adtr::cuda::Precision;
  const small_model::File file;
  const adtr::Image image = small_model::picture();
  const auto detect = [&](Precision precision) {
    const CudaEmulator::Context context(1, precision, true, Access::device);
    return adtr::Detector<CudaEmulator, small_model::Networks>::load(file.path, context).detect(image);
  };
  const adtr::Detection exact = detect(Precision::float32);
  const double tf32 = relative_deviation(detect(Precision::tf32).map, exact.map);
  const double bf16 = relative_deviation(detect(Precision::bf16).map, exact.map);
  CHECK(tf32 > 0.0);
  CHECK(tf32 < 2e-3);
  CHECK(bf16 > tf32);
  CHECK(bf16 < 2e-2);
}

TEST_CASE("A record is of operations, not of their results, and nothing in it waits") {
  const CudaEmulator::Context& context = device_only();
  CudaEmulator::Memory x(4), y(4);
  std::vector<float> in{1, 2, 3, 4}, out(4);
  CudaEmulator::Recording recording;
  const auto add = [&] {
    recording.run(context, 0, [&] {
      CudaEmulator::upload(context, in.data(), 4, x.data());
      CudaEmulator::accumulate(context, {x.data(), 1, 4}, {y.data(), 1, 4});
      CudaEmulator::download(context, y.data(), 4, out.data());
    });
    CudaEmulator::wait(context);
  };
  add();
  CHECK((out == std::vector<float>{1, 2, 3, 4}));
  for (float& value : in) value *= 10.0F;
  add();
  CHECK((out == std::vector<float>{11, 22, 33, 44}));
  add();
  CHECK((out == std::vector<float>{21, 42, 63, 84}));

  const auto wait = [&] { CudaEmulator::wait(context); };
  recording.run(context, 1, wait);
  CHECK_THROWS_WITH(recording.run(context, 1, wait), ContainsSubstring("the host waits for the GPU"));
  CHECK_NOTHROW(add());
}

TEST_CASE("Images of a batch get the scores that each gets alone") {
  const small_model::Parameters parameters;
  using Net = small_model::Net;
  using Model = adtr::Model<Net, CudaEmulator>;
  constexpr std::size_t image = 32 * 32 * 3, positions = 64, batch = 3;
  const auto model = [&](Index capacity) {
    return Model(device_only(), {device_only(), parameters.backbone, adtr::Padding::same, capacity},
                 parameters.tensors);
  };
  std::vector<float> images(batch * image), together(batch * positions), alone(batch * positions);
  adtr::RandomStream random(4, 4);
  for (float& x : images) x = static_cast<float>(random.uniform() - 0.5);
  model(batch).position_scores({images.data(), batch, 32, 32, 3}, together);
  auto one = model(1);
  for (std::size_t i = 0; i < batch; ++i)
    one.position_scores({images.data() + i * image, 1, 32, 32, 3}, std::span(alone).subspan(i * positions, positions));
  CHECK(together == alone);
}

TEST_CASE("Training with the CUDA kernels gives the oracle's parameters") {
  auto o = small::options(GENERATE(0.0, 0.2));
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::pixel, adtr::Loss::image);
  o.clip = 0.5;
  o.epochs = 2;
  // The device takes a batch whole, others in groups of four: masks of dropout are the same where a batch is one group.
  REQUIRE(o.batch <= 4);
  const std::vector<float> actual = [&] {
    adtr::FeatureCache<float> cache(small::images, small::tokens, small::channels, 1 << 30);
    small::fill(cache);
    return train(o, cache, cache);
  }();
  // AdamW divides by the gradient's own size, so rounding of gradients near zero moves single parameters visibly.
  CHECK(relative_deviation(actual, small::train<adtr::Reference<double>>(o)) < 2e-2);
  CHECK(relative_deviation(actual, small::train<adtr::Cpu>(o)) < 2e-2);
}

TEST_CASE("An epoch waits for no step of its own") {
  auto o = small::options(0.1);
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::pixel);
  o.clip = 0.5;
  o.jitter = 0.5;
  o.batch = 2;  // six steps an epoch
  o.epochs = 2;
  // Images with anomalies, which says when it is asked for a batch.
  struct Source final : adtr::BatchSource<float> {
    adtr::FeatureCache<float> cache{small::images, small::tokens, small::channels, 1 << 30};
    std::vector<Index> asked;  ///< operations that the device had not begun at each step
    std::function<Index()> waiting = [] { return Index{0}; };
    Source() { small::fill(cache); }
    [[nodiscard]] Index images() const override { return cache.images(); }
    void fill(std::span<const Index> numbers, Index step, float* features, std::span<std::uint8_t> marks) override {
      cache.fill(numbers, step, features, marks);
      for (std::size_t i = 0; i < marks.size(); ++i) marks[i] = i % 7 == 2 ? 1 : 0;
      asked.push_back(waiting());
    }
  };
  Source at_once, late;
  const CudaEmulator::Context context(1, Access::device, Pace::late);
  late.waiting = [&] { return context.waiting(); };
  const auto expected = train(o, at_once, at_once.cache, CudaEmulator::Context(1, Access::device));
  CHECK(train(o, late, late.cache, context) == expected);
  REQUIRE(late.asked.size() == 12);
  // At the first step of an epoch nothing is left to do; then there is always most of a step.
  for (std::size_t i = 0; i < late.asked.size(); ++i)
    if (i % 6 > 0) CHECK(late.asked[i] > 50);
}

TEST_CASE("A loss that is not a number is an error after the epoch") {
  adtr::FeatureCache<float> cache(4, small::tokens, small::channels, 1 << 30);
  small::fill(cache);
  cache.rows().data[0] = std::numeric_limits<float>::infinity();
  auto o = small::options();
  o.batch = 4;
  CHECK_THROWS_WITH(train(o, cache, cache), ContainsSubstring("diverged at step 1 "));
}

TEST_CASE("What waits on the host's memory sees what is there when it runs") {
  const CudaEmulator::Context context(1, Access::device, Pace::late);
  std::vector<float> host{1, 2, 3, 4}, first(4), second(4);
  CudaEmulator::Memory x(4), y(4);
  CudaEmulator::Mark mark;
  CudaEmulator::upload(context, host.data(), 4, x.data());
  CudaEmulator::mark(context, mark);
  CudaEmulator::upload(context, host.data(), 4, y.data());
  CudaEmulator::wait(context, mark);
  host[0] = 7;  // too early for the second upload
  CudaEmulator::download(context, x.data(), 4, first.data());
  CudaEmulator::download(context, y.data(), 4, second.data());
  CudaEmulator::wait(context);
  CHECK(first[0] == 1.0F);
  CHECK(second[0] == 7.0F);
  CHECK(context.waiting() == 0);
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
  CHECK(relative_deviation(gradient.operator()<CudaEmulator>(device_only()), exact) < 1e-5);
}

TEST_CASE("A kernel that is given the host's memory is stopped") {
  std::vector<float> host(8);
  CudaEmulator::Memory device(8);
  try {
    CudaEmulator::accumulate(device_only(), {host.data(), 1, 8}, {device.data(), 1, 8});
    CudaEmulator::wait(device_only());
    FAIL("not stopped");
  } catch (const Fault& fault) {
    CHECK(fault.kind() == FaultKind::host_memory);
    CHECK_THAT(fault.what(),
               ContainsSubstring("kernel accumulate") && ContainsSubstring("is the host's, not the GPU's"));
  }
  CHECK_NOTHROW(CudaEmulator::accumulate(CudaEmulator::Context(1), {host.data(), 1, 8}, {device.data(), 1, 8}));
}

#ifndef ADTR_SANITIZED  // which make a report of the signal
TEST_CASE("The host that touches the device's memory ends") {
  const CudaEmulator::Memory device(8);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    const volatile float* const touched = device.data();
    _exit(touched[0] == 0.0F ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
}
#endif
