/// The parts of the ablations that have no PyTorch network to compare with.
#include <numeric>

#include "adtr/backend/reference.hpp"
#include "adtr/models/catalogue.hpp"
#include "support/catch.hpp"

namespace {
using adtr::Architecture;
using adtr::Index;
using B = adtr::Reference<double>;
}  // namespace

TEST_CASE("Pixels: a position holds its patch, row by row, channels last") {
  using Image = adtr::ImageShape<32, 48>;
  using Backbone = adtr::Pixels<Image>;
  STATIC_REQUIRE(Backbone::channels == 768);
  std::vector<double> image(static_cast<std::size_t>(Image::size));
  std::iota(image.begin(), image.end(), 0.0);
  std::vector<double> features(image.size());
  adtr::Buffer<double> memory(Backbone::Layers::Output::size * 3);
  adtr::Arena<double> arena(memory.data(), memory.size());
  const B::Context context(1);
  adtr::WeightsOf<Backbone, B>().forward({context}, adtr::map_view<Image>(static_cast<const double*>(image.data()), 1),
                                         adtr::MapView<double>(features.data(), 1, 2, 3, 768), arena);
  for (const auto& [y, x, c] : {std::array<Index, 3>{0, 0, 0}, {5, 17, 2}, {16, 15, 1}, {31, 47, 2}}) {
    INFO(y << ' ' << x << ' ' << c);
    const Index position = y / 16 * 3 + x / 16, channel = (y % 16 * 16 + x % 16) * 3 + c;
    CHECK(features[static_cast<std::size_t>(position * 768 + channel)] ==
          image[static_cast<std::size_t>((y * 48 + x) * 3 + c)]);
  }
}

TEST_CASE("Taps::last reconstructs only the deepest tap, with the same layers") {
  using All = adtr::Network<Architecture::efficientnet_lite0>::type;
  using Last =
      adtr::Network<Architecture::efficientnet_lite0, 256, 16, adtr::TransformerSpec{}, adtr::Taps::last>::type;
  STATIC_REQUIRE(All::Features::channels == 512);
  STATIC_REQUIRE(Last::Features::channels == 320);
  STATIC_REQUIRE(std::is_same_v<All::Backbone::Layers, Last::Backbone::Layers>);
}

TEST_CASE("pixels is an architecture, but not one of TensorFlow's") {
  CHECK(adtr::parse_architecture("pixels").architecture == Architecture::pixels);
  CHECK_THROWS_WITH(adtr::parse_architecture("tf_pixels"), ContainsSubstring("'tf_pixels' is not known"));
}
