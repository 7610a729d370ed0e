/// The scoring methods: their formulas in double, which of them a model has, and what a damaged bank says.
#include "adtr/models/scoring.hpp"

#include "adtr/backend/reference.hpp"
#include "models/small_model.hpp"

using adtr::Index;
using adtr::Scoring;
using small_model::Net;
using CpuDetector = adtr::Detector<adtr::Cpu, small_model::Networks>;

namespace {

constexpr Index positions = Net::Features::positions, channels = Net::Features::channels, axes = 8, tokens = 30;

/// A bank and statistics of random numbers.
adtr::ScoringTensors<float> random_tensors() {
  adtr::RandomStream random(11, 1);
  const auto fill = [&](std::size_t size) {
    std::vector<float> values(size);
    for (float& v : values) v = static_cast<float>(random.normal());
    return values;
  };
  adtr::ScoringTensors<float> tensors;
  tensors.residual = {fill(positions), fill(positions)};
  for (float& deviation : tensors.residual.std) deviation = 1.0F + deviation * deviation;
  tensors.bank = {channels, axes, tokens, fill(axes * channels), fill(tokens * axes)};
  return tensors;
}

/// A model file of format version 3 that is removed with this object.
struct FusedFile {
  std::string path = (std::filesystem::temp_directory_path() / ("adtr_fused_" + std::to_string(getpid()))).string();
  explicit FusedFile(const adtr::ScoringTensors<float>& tensors = random_tensors(), Scoring scoring = Scoring::fused) {
    auto d = small_model::description();
    d.scoring = scoring;
    const small_model::Parameters p;
    adtr::save_model<Net, float>(path, p.tensors, p.backbone, d, tensors);
  }
  FusedFile(const FusedFile&) = delete;
  ~FusedFile() { std::filesystem::remove(path); }
};

/// Position scores of the same picture by a method, on backend B.
template <class B>
adtr::PositionScores<typename B::Scalar> scores_of(const std::string& path, Scoring scoring) {
  using T = typename B::Scalar;
  adtr::Model<Net, B> model(adtr::load_weights(path));
  std::vector<T> input(32 * 32 * 3);
  adtr::Preprocessor<T>(32, small_model::description().numerics)(small_model::picture(), input.data());
  adtr::PositionScores<T> scores;
  model.position_scores(scoring, {input.data(), 1, 32, 32, 3}, scores);
  return scores;
}

double number(const std::vector<double>& values, Index u) { return values[static_cast<std::size_t>(u)]; }

}  // namespace

TEST_CASE("The residual, bank and fused scores are their formulas") {
  using B = adtr::Reference<double>;
  const FusedFile file;
  const auto residual = scores_of<B>(file.path, Scoring::residual), taps = scores_of<B>(file.path, Scoring::taps);
  const auto bank = scores_of<B>(file.path, Scoring::bank), fused = scores_of<B>(file.path, Scoring::fused);

  // Features and reconstruction of the same picture.
  adtr::Model<Net, B> model(adtr::load_weights(file.path));
  std::vector<double> input(32 * 32 * 3);
  adtr::Preprocessor<double>(32, small_model::description().numerics)(small_model::picture(), input.data());
  adtr::PositionScores<double> ignored;
  model.position_scores(Scoring::taps, {input.data(), 1, 32, 32, 3}, ignored);
  const auto f = model.features().matrix(), g = model.reconstruction().matrix();
  const auto& widths = adtr::tap_widths<Net::Backbone>;
  const auto tensors = random_tensors();
  REQUIRE(bank.image.empty());
  for (Index u = 0; u < positions; ++u) {
    double t_sum = 0.0, c_sum = 0.0;
    Index first = 0;
    for (std::size_t k = 0; k < widths.size(); ++k) {
      double squares = 0.0, fg = 0.0, ff = 0.0, gg = 0.0;
      for (Index c = first; c < first + widths[k]; ++c) {
        const double a = f.row(u)[c], b = g.row(u)[c];
        squares += (a - b) * (a - b);
        fg += a * b;
        ff += a * a;
        gg += b * b;
      }
      first += widths[k];
      if (k + 2 < widths.size()) continue;
      t_sum += std::sqrt(squares / static_cast<double>(widths[k]));
      c_sum += 1.0 - fg / std::sqrt(ff * gg);
    }
    const double r = std::sqrt(t_sum * c_sum);
    const auto i = static_cast<std::size_t>(u);
    CHECK(residual.image[i] ==
          Approx((r - double{tensors.residual.mean[i]}) / double{tensors.residual.std[i]}).epsilon(1e-9).margin(1e-9));
    CHECK(residual.map[i] == taps.map[i]);

    double nearest = std::numeric_limits<double>::infinity();
    for (Index n = 0; n < tokens; ++n) {
      double squares = 0.0;
      for (Index d = 0; d < axes; ++d) {
        double projected = 0.0;
        for (Index c = 0; c < channels; ++c) projected += double{tensors.bank.axes_view().row(d)[c]} * f.row(u)[c];
        squares += std::pow(projected - double{tensors.bank.tokens_view().row(n)[d]}, 2);
      }
      nearest = std::min(nearest, std::sqrt(squares));
    }
    CHECK(number(bank.map, u) == Approx(nearest).epsilon(1e-9));
    CHECK(number(fused.map, u) == Approx(nearest * std::pow(taps.map[i], 0.25)).epsilon(1e-9));
    CHECK(number(fused.image, u) == Approx(nearest * std::pow(r, 0.25)).epsilon(1e-9));
  }
}

TEST_CASE("Cpu and the reference score alike by every method") {
  const FusedFile file;
  for (std::size_t m = 0; m < adtr::scoring_methods; ++m) {
    const auto scoring = static_cast<Scoring>(m);
    INFO(name_of(scoring));
    const auto cpu = scores_of<adtr::Cpu>(file.path, scoring);
    const auto exact = scores_of<adtr::Reference<double>>(file.path, scoring);
    REQUIRE((cpu.map.size() == exact.map.size() && cpu.image.size() == exact.image.size()));
    for (std::size_t u = 0; u < cpu.map.size(); ++u) CHECK(double{cpu.map[u]} == Approx(exact.map[u]).epsilon(1e-4));
    for (std::size_t u = 0; u < cpu.image.size(); ++u)
      CHECK(double{cpu.image[u]} == Approx(exact.image[u]).epsilon(1e-3).margin(1e-4));
  }
}

TEST_CASE("A detector knows the methods that its model can use, and scores by another one when told") {
  const FusedFile file;
  auto detector = CpuDetector::load(file.path, 1);
  CHECK(detector.scorings() ==
        std::vector{Scoring::norm, Scoring::taps, Scoring::residual, Scoring::bank, Scoring::fused});
  const adtr::Image image = small_model::picture();
  const double fused = detector.detect(image).score;
  CHECK(detector.description().threshold);
  detector.set_scoring(Scoring::fused);
  CHECK(detector.description().threshold);
  detector.set_scoring(Scoring::bank);
  CHECK(detector.detect(image).score != fused);
  CHECK(detector.detect(image).verdict == adtr::Verdict::undecided);
  auto shared = detector.share();
  shared.set_scoring(Scoring::fused);
  CHECK(shared.detect(image).score == fused);

  const small_model::File without;  // as version 2: the statistics of its own method alone
  auto old = CpuDetector::load(without.path, 1);
  CHECK(old.scorings() == std::vector{Scoring::norm, Scoring::taps});
  CHECK_THROWS_WITH(old.set_scoring(Scoring::fused), ContainsSubstring("fused") && ContainsSubstring("memory bank"));
  CHECK_THROWS_WITH(old.set_scoring(Scoring::residual), ContainsSubstring("statistics"));
  const FusedFile plain({}, Scoring::norm);
  CHECK(CpuDetector::load(plain.path, 1).scorings() == std::vector{Scoring::norm});
}

TEST_CASE("A model without the tensors of its method, or with half a bank, is refused with its name") {
  {
    const FusedFile file({}, Scoring::fused);
    CHECK_THROWS_WITH(CpuDetector::load(file.path, 1), ContainsSubstring(file.path) && ContainsSubstring("'fused'"));
  }
  const auto refused = [](adtr::ScoringTensors<float> tensors, const char* sentence) {
    const FusedFile file(tensors);
    CHECK_THROWS_WITH(CpuDetector::load(file.path, 1), ContainsSubstring(file.path) && ContainsSubstring(sentence));
  };
  auto tensors = random_tensors();
  tensors.bank.channels = channels - 1;
  tensors.bank.axes.resize(axes * (channels - 1));
  refused(tensors, "bank.axes");
  tensors = random_tensors();
  tensors.bank.tokens.back() = std::numeric_limits<float>::quiet_NaN();
  refused(tensors, "bank.tokens");
  tensors = random_tensors();
  tensors.residual.mean.front() = std::numeric_limits<float>::infinity();
  refused(tensors, "residual_mean");
}
