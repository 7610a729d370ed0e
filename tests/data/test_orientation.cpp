/// Photographs are read upright, with all eight Exif orientations, in PNG and JPEG, as images and as masks.
#include <random>

#include "adtr/data/image_file.hpp"
#include "image_bytes.hpp"

using namespace test_data;

namespace {

/// The position of the upright image's pixel (y, x) in the stored image (h, w), from the text of the Exif standard: for
/// 6, "the 0th row is the visual right-hand side, the 0th column the visual top".
std::pair<Index, Index> stored_place(int orientation, Index y, Index x, Index h, Index w) {
  switch (orientation) {
    case 2:
      return {y, w - 1 - x};  // row 0 top, column 0 right
    case 3:
      return {h - 1 - y, w - 1 - x};  // row 0 bottom, column 0 right
    case 4:
      return {h - 1 - y, x};  // row 0 bottom, column 0 left
    case 5:
      return {x, y};  // row 0 left, column 0 top
    case 6:
      return {h - 1 - x, y};  // row 0 right, column 0 top
    case 7:
      return {h - 1 - x, w - 1 - y};  // row 0 right, column 0 bottom
    case 8:
      return {x, w - 1 - y};  // row 0 left, column 0 bottom
    default:
      return {y, x};
  }
}

adtr::Image upright(const adtr::Image& stored, int orientation) {
  const bool swap = orientation > 4;
  adtr::Image out(swap ? stored.width : stored.height, swap ? stored.height : stored.width);
  for (Index y = 0; y < out.height; ++y)
    for (Index x = 0; x < out.width; ++x) {
      const auto [v, u] = stored_place(orientation, y, x, stored.height, stored.width);
      for (Index c = 0; c < 3; ++c) out.row(y)[3 * x + c] = stored.row(v)[3 * u + c];
    }
  return out;
}

/// A file with the tag, at the place of its format.
std::string tagged(const std::string& file, const std::string& block) {
  return file.starts_with(png_signature) ? with_chunk(file, chunk("eXIf", block))
                                         : with_segments(file, jpeg_exif(block));
}

void check_upright(const std::filesystem::path& path, const adtr::Image& expected, int orientation) {
  const adtr::Image image = adtr::read_image(path);
  CHECK(image.height == expected.height);
  CHECK(image.width == expected.width);
  CHECK(image.data == expected.data);
  const adtr::ImageHeader header = adtr::read_image_header(path);
  CHECK(header.height == expected.height);
  CHECK(header.width == expected.width);
  CHECK(header.orientation == orientation);
}

}  // namespace

TEST_CASE("a PNG with an orientation is read upright, as with Pillow's exif_transpose") {
  const TemporaryFolder folder;
  for (auto& line : golden_lines("orientation")) {
    Index h = 0;
    Index w = 0;
    int orientation = 0;
    Index upright_h = 0;
    Index upright_w = 0;
    std::string hash;
    REQUIRE(line >> h >> w >> orientation >> upright_h >> upright_w >> hash);
    INFO(h << "x" << w << " of orientation " << orientation);
    const auto path = folder.path() / "image.png";
    adtr::write_png(path, formula_image(h, w));
    const std::string png = read_file(path);
    for (const bool little : {false, true}) {
      write_file(path, tagged(png, exif_block(static_cast<std::uint32_t>(orientation), little)));
      const adtr::Image image = adtr::read_image(path);
      CHECK(image.height == upright_h);
      CHECK(image.width == upright_w);
      CHECK(fnv(image.data) == hash);
    }
  }
}

TEST_CASE("every orientation is applied to PNGs, square or not, as images and as masks") {
  const TemporaryFolder folder;
  const auto [h, w] = GENERATE(std::pair<Index, Index>{21, 27}, std::pair<Index, Index>{24, 24},
                               std::pair<Index, Index>{1, 130}, std::pair<Index, Index>{150, 70});
  adtr::write_png(folder.path() / "plain.png", formula_image(h, w));
  adtr::Image marked(h, w);
  for (std::size_t i = 0; i < marked.data.size(); i += 3)
    std::fill_n(marked.data.begin() + static_cast<std::ptrdiff_t>(i), 3, i / 3 % 5 == 0 || i < 30 ? 255 : 0);
  adtr::write_png(folder.path() / "mask.png", marked);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string block = exif_block(static_cast<std::uint32_t>(orientation), orientation % 2 == 0);
    INFO(h << "x" << w << " of orientation " << orientation);
    const auto path = write_file(folder.path() / "image.png", tagged(read_file(folder.path() / "plain.png"), block));
    check_upright(path, upright(formula_image(h, w), orientation), orientation);

    const auto mask_path =
        write_file(folder.path() / "turned_mask.png", tagged(read_file(folder.path() / "mask.png"), block));
    const adtr::Image expected = upright(marked, orientation);
    const adtr::Mask mask = adtr::read_mask(mask_path);
    CHECK(mask.height == expected.height);
    CHECK(mask.width == expected.width);
    CHECK(adtr::to_image(mask).data == expected.data);
    CHECK(!mask.soft);
  }
}

TEST_CASE("every orientation is applied to JPEGs, square or not, as images and as masks") {
  const TemporaryFolder folder;
  const std::string name =
      GENERATE("rgb.jpg", "progressive.jpeg", "grey.jpg", "square.jpg", "mask_75.jpg", "mask_square.jpg");
  const auto plain = golden() / "images" / name;
  const adtr::Image stored = adtr::read_image(plain);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(name << " of orientation " << orientation);
    const std::string block = exif_block(static_cast<std::uint32_t>(orientation), orientation % 2 != 0);
    const auto path = write_file(folder.path() / "image.jpg", tagged(read_file(plain), block));
    check_upright(path, upright(stored, orientation), orientation);
    if (!name.starts_with("mask")) continue;
    const adtr::Mask mask = adtr::read_mask(path);
    const adtr::Image expected = upright(adtr::to_image(adtr::read_mask(plain)), orientation);
    CHECK(mask.height == expected.height);
    CHECK(mask.width == expected.width);
    CHECK(adtr::to_image(mask).data == expected.data);
    CHECK(mask.soft);
  }
}

TEST_CASE("the tag is found at every valid place") {
  const TemporaryFolder folder;
  const std::string jpeg = read_file(golden() / "images" / "rgb.jpg");
  const adtr::Image turned = upright(adtr::read_image(golden() / "images" / "rgb.jpg"), 6);
  const std::string exif = jpeg_exif(exif_block(6, true));
  const std::string xmp = segment(0xE1, std::string("http://ns.adobe.com/xap/1.0/\0<x/>", 33));
  const auto check = [&](const std::string& bytes) {
    check_upright(write_file(folder.path() / "image.jpg", bytes), turned, 6);
  };
  check(with_segments(jpeg, exif, false));
  check(with_segments(jpeg, xmp + segment(0xE2, "ICC_PROFILE") + exif));
  check(with_segments(jpeg, exif + jpeg_exif(exif_block(3, true))));  // the first one counts
  check(with_segments(jpeg, jpeg_exif(exif_block(6, false, 4))));     // 32-bit numbers
  check(with_segments(jpeg, jpeg_exif(exif_block(6, false, 1))));     // and 8-bit ones
  const std::size_t scan = jpeg.find("\xFF\xDA");
  check(jpeg.substr(0, scan) + exif + jpeg.substr(scan));

  const std::string png = read_file(golden() / "images" / "rgb8.png");
  const adtr::Image turned_png = upright(adtr::read_image(golden() / "images" / "rgb8.png"), 6);
  const std::string exif_chunk = chunk("eXIf", exif_block(6, false));
  check_upright(write_file(folder.path() / "a.png", png.substr(0, png.size() - 12) + exif_chunk + chunk("IEND", "")),
                turned_png, 6);
  check_upright(write_file(folder.path() / "b.png",
                           with_chunk(png, chunk("eXIf", std::string("Exif\0\0", 6) + exif_block(6, true)))),
                turned_png, 6);
}

TEST_CASE("an invalid tag leaves the pixels in their stored order") {
  const TemporaryFolder folder;
  for (const char* name : {"rgb8.png", "rgb.jpg"}) {
    const std::string file = read_file(golden() / "images" / name);
    const adtr::Image plain = adtr::read_image(golden() / "images" / name);
    const auto check = [&](const std::string& block) {
      check_upright(write_file(folder.path() / name, tagged(file, block)), plain, 1);
    };
    for (const bool little : {false, true}) {
      for (const std::uint32_t value : {0U, 9U, 255U, 256U, 65535U}) check(exif_block(value, little));
      check(exif_block(6, little, 2));  // text
      check(exif_block(6, !little).replace(0, 2, little ? "II" : "MM"));
    }
    const std::string block = exif_block(6, true);
    for (std::size_t size = 0; size < 30; ++size) check(block.substr(0, size));
    check(std::string(block).replace(4, 4, "\xFF\xFF\xFF\xFF"));  // a directory beyond the end
    check("IM" + block.substr(2));
    check(std::string(block).replace(2, 2, "++"));
  }
}

TEST_CASE("damage of Exif causes no more than a wrong orientation") {
  const std::string block = exif_block(6, GENERATE(false, true));
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = block.substr(0, random() % (block.size() + 1));
    for (auto flips = random() % 4; flips > 0 && !damaged.empty(); --flips)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    const std::vector<std::uint8_t> bytes(
        damaged.begin(), damaged.end());  // ends exactly with the block, so that the sanitizer sees an overrun
    const int orientation = adtr::detail::exif_orientation(bytes);
    REQUIRE((orientation >= 1 && orientation <= 8));
  }
}
