/// A baseline for ADTR: the distance of each position's features to the nearest training feature, as in PatchCore
/// (Roth et al., CVPR 2022), on the same features and with the same evaluation. Nothing is trained.
#pragma once

#include <limits>

#include "adtr/models/score_map.hpp"
#include "adtr/train/build_bank.hpp"
#include "adtr/train/image_features.hpp"

namespace paper {

/// Has the interface of a detector, for adtr::evaluate(). The features are what ADTR's memory bank holds: pooled alike,
/// standardised, weighted and projected on the same axes. The bank holds the tokens of all training images, or `bank`
/// of them chosen by greedy k-center; the image score is the pooled maximum of the upsampled distances.
template <class N>
class Neighbours {
  using B = adtr::Cpu;
  using Index = adtr::Index;
  using Net = typename N::type;
  using Features = typename Net::Features;
  using Layers = typename Net::Backbone::Layers;

 public:
  Neighbours(const std::string& weights, const std::string& architecture, const std::vector<adtr::Sample>& good,
             adtr::Pooling pooling, Index bank, std::uint64_t seed, int threads)
      : context_(threads), scorer_(N::grid, N::image_size), test_(Features::size) {
    const adtr::SafetensorsFile file = adtr::SafetensorsFile::open(weights);
    const adtr::NamedArchitecture named = adtr::describe_weights(file, architecture);
    description_.image_size = N::image_size;
    adtr::Buffer<float> memory(adtr::parameter_count<Layers>);
    auto parameters = adtr::bind_parameters<Layers>(memory.data());
    adtr::load_backbone<Layers>(file, named.numerics.bn_eps, parameters);
    features_.emplace(context_, adtr::FeatureExtractor<Net, B>(context_, parameters, named.numerics.padding, pooling),
                      named.numerics);
    fill_bank(good, bank, seed);
  }

  [[nodiscard]] const adtr::ModelDescription& description() const { return description_; }
  [[nodiscard]] const adtr::Image& resized() const { return features_->resized(); }

  void detect(const adtr::ImageView& image, adtr::Detection& d) {
    features_->extract(image, test_.data());
    features_->standardise(test_.data());
    bank_->distances(context_, {test_.data(), Features::positions, Features::channels},
                     {projections_.data(), Features::positions, bank_->axes()}, scores_.map.data());
    const auto side = static_cast<std::size_t>(N::image_size);
    d.map.resize({side, side});
    d.score = scorer_(scores_, {d.map.data(), side * side});
  }

 private:
  void fill_bank(const std::vector<adtr::Sample>& good, Index wanted, std::uint64_t seed) {
    const auto images = static_cast<Index>(good.size());
    adtr::FeatureCache<float> cache(images, Features::positions, Features::channels,
                                    std::numeric_limits<std::uint64_t>::max());
    for (Index i = 0; i < images; ++i)
      features_->extract(adtr::read_image(good[static_cast<std::size_t>(i)]), cache.image(i).data);
    adtr::Buffer<float> mean(Features::channels), std(Features::channels);
    adtr::channel_statistics<float>(cache.rows(), mean.data(), std.data());
    features_->set_statistics(mean.data(), std.data());
    for (Index i = 0; i < images; ++i) features_->standardise(cache.image(i).data);
    adtr::BankOptions options;
    options.tokens = wanted > 0 ? wanted : cache.rows().rows;
    options.max_candidates = cache.rows().rows;
    options.seed = seed;
    const auto built = adtr::build_bank<Net, B>(context_, cache.rows(), options, adtr::run_each_on(context_));
    bank_.emplace(context_, built.tensors);
    projections_ = adtr::Buffer<float>(Features::positions * bank_->axes());
  }

  B::Context context_;
  adtr::ModelDescription description_;
  std::optional<adtr::ImageFeatures<N, B>> features_;
  adtr::ImageScorer<float> scorer_;
  adtr::Buffer<float> test_, projections_;
  std::optional<adtr::MemoryBank<B>> bank_;
  adtr::PositionScores<float> scores_{std::vector<float>(Features::positions), {}};
};

}  // namespace paper
