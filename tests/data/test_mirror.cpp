/// Mirror images.
#include <filesystem>

#include "adtr/data/folder.hpp"
#include "support/catch.hpp"

using adtr::Image;
using adtr::Index;
using adtr::Mirror;

namespace {

/// An image whose bytes all differ.
Image numbered(Index height, Index width) {
  Image image(height, width);
  for (std::size_t i = 0; i < image.data.size(); ++i) image.data[i] = static_cast<std::uint8_t>(i);
  return image;
}

}  // namespace

TEST_CASE("a mirror image has every pixel where the mirror puts it") {
  const Image image = numbered(GENERATE(1, 4, 5), GENERATE(1, 6, 7));
  for (const Mirror mirror : adtr::mirrors) {
    const Image result = mirrored(image, mirror);
    REQUIRE((result.height == image.height && result.width == image.width));
    for (Index y = 0; y < image.height; ++y)
      for (Index x = 0; x < image.width; ++x)
        for (Index c = 0; c < Image::channels; ++c) {
          const Index from_y = mirror.down ? image.height - 1 - y : y;
          const Index from_x = mirror.across ? image.width - 1 - x : x;
          CHECK(result.row(y)[3 * x + c] == image.row(from_y)[3 * from_x + c]);
        }
    CHECK(mirrored(result, mirror).data == image.data);
  }
}

TEST_CASE("samples are read with their mirror") {
  adtr::Sample sample;
  sample.kind = "good";
  sample.image = std::make_shared<const Image>(numbered(3, 2));
  const auto all = adtr::with_mirror_images({sample, sample});
  REQUIRE(all.size() == 8);
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(adtr::read_image(all[i]).data == mirrored(*sample.image, adtr::mirrors[i % 4]).data);
}
