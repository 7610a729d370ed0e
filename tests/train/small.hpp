/// A transformer that is small enough to train in a test, and features for it.
#pragma once

#include <bit>

#include "adtr/backend/cpu.hpp"
#include "adtr/backend/reference.hpp"
#include "adtr/train/initialise.hpp"
#include "adtr/train/trainer.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

namespace small {

using adtr::Index;
inline constexpr Index tokens = 16, channels = 24, images = 11;
using Net = adtr::Reconstruction<tokens, channels, adtr::TransformerSpec{16, 2, 32, 2}>;

/// Features with structure: each position has a mean of its own, and images vary in a few directions.
template <class T>
void fill(const adtr::FeatureCache<T>& cache, std::uint64_t seed = 1) {
  adtr::RandomStream fixed(seed, 1), varying(seed, 2);
  std::vector<double> mean(static_cast<std::size_t>(cache.image(0).rows * cache.image(0).cols)), direction(mean.size());
  for (double& m : mean) m = fixed.normal();
  for (double& d : direction) d = fixed.normal();
  for (Index i = 0; i < cache.images(); ++i) {
    const double amount = varying.normal();
    for (std::size_t j = 0; j < mean.size(); ++j)
      cache.image(i).data[j] = static_cast<T>(mean[j] + amount * direction[j] + 0.1 * varying.normal());
  }
}

inline adtr::TrainingOptions options(double dropout = 0.0) {
  adtr::TrainingOptions o = adtr::training_options(adtr::Recipe::fast);
  o.epochs = 4;
  o.batch = 4;
  o.dropout = dropout;
  o.seed = 5;
  return o;
}

/// The parameters after training on backend B.
template <class B>
std::vector<typename B::Scalar> train(const adtr::TrainingOptions& o, int threads = 1) {
  using T = typename B::Scalar;
  adtr::FeatureCache<T> cache(images, tokens, channels, std::uint64_t{1} << 30);
  fill(cache);
  adtr::Trainer<Net, B> trainer(support::context<B>(threads), cache, o);
  auto p = trainer.parameters();
  adtr::initialise_identity<Net, T>(p, o.seed, adtr::PrincipalAxes::of<T>(cache.rows(), Net::C));
  while (trainer.state().epoch < o.epochs) trainer.run_epoch();
  const auto all = trainer.state().parameters.span();
  return {all.begin(), all.end()};
}

}  // namespace small
