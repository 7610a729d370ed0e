/// The emulator runs asynchronous operations as late as a GPU may, and the results are the same.
#include <functional>
#include <vector>

#include "adtr/backend/cuda.hpp"
#include "train/small.hpp"

using adtr::CudaEmulator;
using adtr::Index;
using adtr::cuda::emulator::Access;
using adtr::cuda::emulator::Pace;

TEST_CASE("An epoch does not wait for its steps") {
  auto o = small::options(0.1);
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::pixel);
  o.clip = 0.5;
  o.jitter = 0.5;
  o.batch = 2;  // six steps per epoch
  o.epochs = 2;
  // A source of images with anomalies that records each request for a batch.
  struct Source final : adtr::BatchSource<float> {
    adtr::FeatureCache<float> cache{small::images, small::tokens, small::channels, 1 << 30};
    std::vector<Index> asked;  ///< number of operations that the device had not begun at each step
    std::function<Index()> waiting = [] { return Index{0}; };
    Source() { small::fill(cache); }
    [[nodiscard]] Index images() const override { return cache.images(); }
    void fill(std::span<const Index> numbers, Index step, float* features, std::span<std::uint8_t> anomalous) override {
      cache.fill(numbers, step, features, anomalous);
      for (std::size_t i = 0; i < anomalous.size(); ++i) anomalous[i] = i % 7 == 2 ? 1 : 0;
      asked.push_back(waiting());
    }
  };
  Source at_once, late;
  const CudaEmulator::Context context(1, Access::device, Pace::late);
  late.waiting = [&] { return context.waiting(); };
  const auto train = [&](Source& source, const CudaEmulator::Context& on) {
    adtr::Trainer<small::Net, CudaEmulator> trainer(on, source, o);
    auto p = trainer.parameters();
    adtr::initialise<small::Net, float>(p, 1);
    while (trainer.state().epoch < o.epochs) trainer.run_epoch();
    const auto all = trainer.state().parameters.span();
    return std::vector<float>(all.begin(), all.end());
  };
  CHECK(train(late, context) == train(at_once, CudaEmulator::Context(1, Access::device)));
  REQUIRE(late.asked.size() == 12);
  // At the first step of an epoch no operation is waiting; later, most of a step always is.
  for (std::size_t i = 0; i < late.asked.size(); ++i)
    if (i % 6 > 0) CHECK(late.asked[i] > 50);
}

TEST_CASE(
    "An epoch that is stopped after any step waits only for that step, and continues with the same bits and loss") {
  auto o = small::options(0.1);
  o.loss = GENERATE(adtr::Loss::norm, adtr::Loss::image);
  o.top_k = 4;
  o.batch = 2;  // six steps per epoch
  o.epochs = 2;
  struct Source final : adtr::BatchSource<float> {
    adtr::FeatureCache<float> cache{small::images, small::tokens, small::channels, 1 << 30};
    Source() { small::fill(cache); }
    [[nodiscard]] Index images() const override { return cache.images(); }
    void fill(std::span<const Index> numbers, Index step, float* features, std::span<std::uint8_t> anomalous) override {
      cache.fill(numbers, step, features, anomalous);
      for (std::size_t i = 0; i < anomalous.size(); ++i) anomalous[i] = i % 7 == 2 ? 1 : 0;
    }
  } source;
  using Trainer = adtr::Trainer<small::Net, CudaEmulator>;
  const CudaEmulator::Context context(1, Access::device, Pace::late);
  const auto bits = [](Trainer& trainer) {
    std::vector<float> all;
    for (const auto* buffer :
         {&trainer.state().parameters, &trainer.state().first_moment, &trainer.state().second_moment})
      all.insert(all.end(), buffer->span().begin(), buffer->span().end());
    return all;
  };
  Trainer straight(context, source, o);
  auto p = straight.parameters();
  adtr::initialise<small::Net, float>(p, 1);
  while (straight.state().epoch < o.epochs) straight.run_epoch();
  // The first and the last step of both epochs, and one between them. The simpler loss runs a part of the operations.
  std::vector<Index> stops{1, 5, 6, 7, 12};
  if (o.loss == adtr::Loss::norm) stops = {5};
#ifdef ADTR_SANITIZED  // the other steps run the same code
  stops = {7};
#endif
  for (const Index stop_after : stops) {
    // One trainer stops, by request or by an exception; another continues from its state.
    for (const bool throws : {false, true}) {
      Trainer first(context, source, o), second(context, source, o);
      auto start = first.parameters();
      adtr::initialise<small::Net, float>(start, 1);
      Index steps = 0;
      std::vector<Index> waiting;  // operations that the device had not begun when it was asked whether to stop
      try {
        while (steps < stop_after)
          static_cast<void>(first.run_epoch(
              [&](Index) {
                if (++steps == stop_after && throws) throw 1;
              },
              [&] { return waiting.push_back(context.waiting()), steps == stop_after; }));
      } catch (int) {
      }
      CHECK(first.state_is_whole());
      for (const Index operations : waiting) CHECK(operations > 50);
      std::copy_n(first.state().parameters.data(), first.state().parameters.size(), second.state().parameters.data());
      std::copy_n(first.state().first_moment.data(), first.state().parameters.size(),
                  second.state().first_moment.data());
      std::copy_n(first.state().second_moment.data(), first.state().parameters.size(),
                  second.state().second_moment.data());
      second.state().epoch = first.state().epoch;
      second.state().losses = first.state().losses;
      second.state().step_losses = first.state().step_losses;
      while (second.state().epoch < o.epochs) second.run_epoch();
      CHECK(bits(second) == bits(straight));
      CHECK(second.state().losses == straight.state().losses);
    }
  }
}

TEST_CASE("A delayed operation reads host memory when it runs") {
  const CudaEmulator::Context context(1, Access::device, Pace::late);
  std::vector<float> host{1, 2, 3, 4}, first(4), second(4);
  CudaEmulator::Memory x(4), y(4);
  CudaEmulator::Event event;
  CudaEmulator::upload(context, host.data(), 4, x.data());
  CudaEmulator::record(context, event);
  CudaEmulator::upload(context, host.data(), 4, y.data());
  CudaEmulator::wait(context, event);
  host[0] = 7;  // too early for the second upload
  CudaEmulator::download(context, x.data(), 4, first.data());
  CudaEmulator::download(context, y.data(), 4, second.data());
  CudaEmulator::wait(context);
  CHECK(first[0] == 1.0F);
  CHECK(second[0] == 7.0F);
  CHECK(context.waiting() == 0);
}
