/// Compares the scoring methods with scores.py: of given features, and of a network whose taps are pooled by area.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "adtr/models/model.hpp"
#include "adtr/train/build_bank.hpp"
#include "golden/formula_network.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

namespace golden {

/// The bank of scores.py.
template <class Net, class T>
adtr::BankTensors<T> formula_bank() {
  constexpr adtr::Index channels = Net::Features::channels, axes = 21, tokens = 203;
  const auto shape = {std::size_t{axes}, static_cast<std::size_t>(channels)};
  const std::vector<double> unweighted = formula::parameter<double>("bank.axes", std::vector<std::size_t>(shape));
  const Eigen::VectorXd weights = adtr::detail::bank_weights<typename Net::Backbone>();
  adtr::BankTensors<T> bank{channels, axes, tokens, {}, formula::uniform<T>("bank.tokens", tokens * axes, 0.6)};
  for (std::size_t i = 0; i < unweighted.size(); ++i)
    bank.axes.push_back(static_cast<T>(unweighted[i] * weights[static_cast<adtr::Index>(i) % channels]));
  return bank;
}

/// The mean and the deviation of each position's r in scores.py.
template <class Net, class T>
adtr::ScoreStatistics<T> formula_statistics() {
  const auto of = [](const char* name) {
    std::vector<T> values;
    for (const float v : formula::uniform<float>(name, static_cast<std::size_t>(Net::Features::positions), 0.5))
      values.push_back(static_cast<T>(1.0F + v));
    return values;
  };
  return {of("residual_mean"), of("residual_std")};
}

/// The checks of a network of type `Net` on backend B against the file `name`, within a tolerance.
template <class B, class Net>
class ScoreChecks {
 public:
  using T = typename B::Scalar;

  ScoreChecks(const std::string& name, double tolerance) : expected_(name), tolerance_(tolerance) {}

  /// Taps' norms and cosines, and all scores, of one image's features f and their reconstruction g in the host's
  /// memory.
  void features(const std::string& image, adtr::MatrixIn<B> f, adtr::MatrixIn<B> g) const {
    const adtr::MemoryBank<B> bank(context_, formula_bank<Net, T>());
    const auto rows = static_cast<std::size_t>(f.rows);
    std::vector<T> projections(rows * static_cast<std::size_t>(bank.axes()));
    const adtr::Measured<B> from{context_, f, g, &bank, {projections.data(), f.rows, bank.axes()}};
    std::vector<T> measures(rows * static_cast<std::size_t>(adtr::FusedScoring::measures<Net>));
    adtr::FusedScoring::measure<Net, B>(from, measures.data());

    const std::span<T> all(measures);
    constexpr std::size_t taps = Net::Backbone::taps.size();
    const auto fused = combined<adtr::FusedScoring>(all),
               residual = combined<adtr::ResidualScoring>(all.first(rows * (taps + 2)));
    for (std::size_t k = 0; k < taps; ++k) {
      const std::span<T> norms = all.subspan(k * rows, rows);
      for (T& norm : norms)
        norm /= static_cast<T>(std::sqrt(static_cast<double>(adtr::tap_widths<typename Net::Backbone>[k])));
      compare(image + "t." + std::to_string(k), norms);
    }
    for (std::size_t k = taps - 2; k < taps; ++k)
      compare(image + "c." + std::to_string(k), all.subspan((k + 2) * rows, rows));
    compare(image + "g", residual.map);
    compare(image + "r", residual.image);
    compare(image + "d", all.last(rows));
    compare(image + "fused_map", fused.map);
    compare(image + "fused_image", fused.image);
  }

  /// From images to scores, through a model with area pooling, standardised features and a bank.
  void network(const adtr::Numerics& numerics, const Golden& parameters) const {
    using Features = typename Net::Features;
    using Image = typename Net::Image;
    const FormulaNetwork<B, Net> network(parameters, numerics);
    std::vector<T> mean = expected_.template values<T>("feature_mean"),
                   deviation = expected_.template values<T>("feature_std");
    std::vector<T> zeros(Features::positions, T{0}), ones(Features::positions, T{1});
    const adtr::ParametersOf<adtr::TrainedTensors<Net>, T> trained{network.transformer, mean.data(), deviation.data(),
                                                                   zeros.data(), ones.data()};
    adtr::Model<Net, B> model(context_, {context_, network.backbone, network.padding, adtr::Pooling::area, batch},
                              trained);
    model.set_score_statistics(adtr::Scoring::residual, formula_statistics<Net, T>());
    model.set_bank(formula_bank<Net, T>());
    const std::vector<T> images = batch_of<T>("input.", Image::size, 2.0);
    const auto score = [&](adtr::Scoring scoring) {
      adtr::PositionScores<T> scores;
      model.position_scores(scoring, adtr::map_view<Image>(images.data(), batch), scores);
      return scores;
    };
    const auto residual = score(adtr::Scoring::residual), bank = score(adtr::Scoring::bank),
               fused = score(adtr::Scoring::fused);
    adtr::ImageScorer<T> scorer(Features::height, Image::height);
    std::vector<T> map(static_cast<std::size_t>(Image::positions));
    for (adtr::Index b = 0; b < batch; ++b) {
      const std::string image = prefix(b);
      const adtr::MatrixIn<B> f = model.features(batch).images(b, 1).matrix(),
                              g = model.reconstruction(batch).images(b, 1).matrix();
      compare(image + "features", f);
      compare(image + "reconstruction", g);
      features(image, f, g);
      compare(image + "z", one(residual.image, b));
      for (const auto& [name, scores] : {std::pair{"residual", &residual}, {"bank", &bank}, {"fused", &fused}}) {
        const adtr::PositionScores<T> own{one(scores->map, b),
                                          scores->image.empty() ? scores->image : one(scores->image, b)};
        const std::vector<double> of_image{scorer(own, map)};
        INFO(image << name);
        CHECK(expected_.template error<double>(image + name + "_image_score", of_image) < tolerance_);
      }
      compare(image + "d", one(bank.map, b));
      compare(image + "fused_image", one(fused.image, b));
      compare(image + "fused_map", one(fused.map, b));
      compare(image + "fused_score_map", map);
    }
  }

 private:
  template <class Method>
  static adtr::PositionScores<T> combined(std::span<const T> measures) {
    const std::vector<T> zeros(static_cast<std::size_t>(Net::Features::positions));
    adtr::PositionScores<T> scores{zeros, zeros};
    Method::template combine<Net, T>(measures, scores);
    return scores;
  }

  /// The position scores of image b of a batch.
  static std::vector<T> one(const std::vector<T>& scores, adtr::Index b) {
    const auto first = scores.begin() + b * Net::Features::positions;
    return {first, first + Net::Features::positions};
  }

  void compare(const std::string& tensor, adtr::MatrixIn<B> x) const {
    compare(tensor, std::span<const T>(x.data, static_cast<std::size_t>(x.rows * x.cols)));
  }
  void compare(const std::string& tensor, std::span<const T> actual) const {
    INFO(tensor);
    CHECK(expected_.error(tensor, actual) < tolerance_);
  }

  Golden expected_;
  double tolerance_;
  typename B::Context context_ = support::context<B>(2);
};

/// Compares network N (an adtr::Network) with area pooling with the file `<name>_area`.
template <class B, class N>
void check_area(const std::string& name) {
  const adtr::Numerics numerics = adtr::parse_architecture(adtr::name_of(N::architecture)).numerics;
  ScoreChecks<B, typename N::type>(name + "_area", tolerance<typename B::Scalar>).network(numerics, Golden(name));
}

}  // namespace golden
