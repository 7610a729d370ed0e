/// A baseline for ADTR: the distance of each position's features to the nearest training feature, as in PatchCore
/// (Roth et al., CVPR 2022), on the same features and with the same evaluation. Nothing is trained.
#pragma once

#include <limits>

#include "adtr/models/score_map.hpp"
#include "adtr/train/image_features.hpp"

namespace paper {

/// Has the interface of a detector, for adtr::evaluate(). Features are standardised per channel; the bank holds all
/// positions of all training images, or `bank` of them drawn at random; the image score is the pooled maximum of the
/// upsampled distances.
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
    const adtr::MatrixIn<B> x(test_.data(), Features::positions, Features::channels);
    // ‖a − b‖² = ‖a‖² − 2(a·b − ‖b‖²/2): the nearest has the largest product plus bias.
    B::multiply(context_, x, bank_, {half_norms_.data(), {}, adtr::Activation::none}, products_.view());
    for (Index u = 0; u < Features::positions; ++u) {
      const float* products = products_.view().row(u);
      const double nearest = *std::max_element(products, products + products_.view().cols);
      double norm = 0.0;
      for (Index c = 0; c < Features::channels; ++c) norm += static_cast<double>(x.row(u)[c]) * x.row(u)[c];
      scores_.map[static_cast<std::size_t>(u)] = static_cast<float>(std::sqrt(std::max(norm - 2.0 * nearest, 0.0)));
    }
    const auto side = static_cast<std::size_t>(N::image_size);
    d.map.resize({side, side});
    d.score = scorer_(scores_, {d.map.data(), side * side});
  }

 private:
  struct Matrix {
    adtr::Buffer<float> memory;
    Index rows = 0, cols = 0;
    [[nodiscard]] adtr::MatrixView<float> view() { return {memory.data(), rows, cols}; }
  };

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
    const auto all = static_cast<std::size_t>(cache.rows().rows);
    const Index kept = wanted > 0 ? std::min(wanted, cache.rows().rows) : cache.rows().rows;
    const auto order = adtr::permutation(all, adtr::RandomStream(seed, 3));
    Matrix rows{adtr::Buffer<float>(kept * Features::channels), kept, Features::channels};
    half_norms_ = adtr::Buffer<float>(kept);
    for (Index r = 0; r < kept; ++r) {
      const float* from = cache.rows().row(static_cast<Index>(order[static_cast<std::size_t>(r)]));
      std::copy_n(from, Features::channels, rows.view().row(r));
      double norm = 0.0;
      for (Index c = 0; c < Features::channels; ++c) norm += static_cast<double>(from[c]) * from[c];
      half_norms_.data()[r] = static_cast<float>(-0.5 * norm);
    }
    B::pack(context_, rows.view(), bank_);
    products_ = {adtr::Buffer<float>(Features::positions * kept), Features::positions, kept};
  }

  B::Context context_;
  adtr::ModelDescription description_;
  std::optional<adtr::ImageFeatures<N, B>> features_;
  adtr::ImageScorer<float> scorer_;
  adtr::Buffer<float> test_, half_norms_;
  B::Packed bank_;
  Matrix products_;
  adtr::PositionScores<float> scores_{std::vector<float>(Features::positions), {}};
};

}  // namespace paper
