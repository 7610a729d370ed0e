/// Built with XTENSOR_DEFAULT_LAYOUT as column_major, as some users' programs are: heat maps must be the same.
#include "models/small_model.hpp"

#include "adtr/adtr.hpp"

static_assert(xt::xtensor<float, 2>::static_layout == xt::layout_type::column_major, "the macro is set");

TEST_CASE("a program whose xtensor is column-major gets the same map") {
  const small_model::File file;
  auto detector = adtr::Detector<adtr::Cpu, small_model::Networks>::load(file.path, 1);
  const adtr::Image image = small_model::picture();
  const adtr::Detection detection = detector.detect(image);

  adtr::Model<small_model::Net, adtr::Cpu> model(adtr::load_weights(file.path), adtr::Cpu::Context(1));
  adtr::Preprocessor<float> preprocess(32, small_model::description().numerics);
  std::vector<float> input(32 * 32 * 3), map(32 * 32);
  adtr::PositionScores<float> scores;
  preprocess(image, input.data());
  model.position_scores(adtr::Scoring::taps, {input.data(), 1, 32, 32, 3}, scores);
  CHECK(adtr::ImageScorer<float>(8, 32)(scores, map) == detection.score);

  bool same = true, symmetric = true;
  const xt::xtensor<float, 2> column_major = detection.map;
  for (std::size_t y = 0; y < 32; ++y)
    for (std::size_t x = 0; x < 32; ++x) {
      same = same && detection.map(y, x) == map[y * 32 + x] && column_major(y, x) == map[y * 32 + x];
      symmetric = symmetric && map[y * 32 + x] == map[x * 32 + y];
    }
  CHECK(same);
  CHECK_FALSE(symmetric);  // otherwise a transposed map would pass
}
