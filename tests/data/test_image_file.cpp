/// Compares reading and writing image files with Pillow, and tests every kind of bad file.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "adtr/data/image_file.hpp"
#include "adtr/data/resize.hpp"
#include "image_bytes.hpp"

using namespace test_data;

TEST_CASE("files of every kind give the pixels that Pillow gives") {
  for (auto& line : golden_lines("images")) {
    std::string name;
    std::string hash;
    std::string hex;
    Index h = 0;
    Index w = 0;
    int tolerance = 0;
    REQUIRE(line >> name >> h >> w >> tolerance >> hash >> hex);
    INFO(name);
    const adtr::Image image = adtr::read_image(golden() / "images" / name);
    CHECK(image.height == h);
    CHECK(image.width == w);
    if (tolerance == 0) {
      CHECK(fnv(image.data) == hash);
      continue;
    }
    const auto expected = from_hex(hex);
    REQUIRE(image.data.size() == expected.size());
    int worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(image.data[i] - expected[i]));
    CHECK(worst <= tolerance);
  }
}

TEST_CASE("real photographs give the pixels that Pillow gives, at their size and at 256x256") {
  const char* shared = std::getenv("ADTR_SHARED");
  const std::filesystem::path folder =
      (shared != nullptr ? std::filesystem::path(shared) : std::filesystem::path(ADTR_SOURCE_DIR) / ".." / "shared") /
      "data";
  if (!std::filesystem::is_directory(folder / "mvtec" / "screw")) {
    std::cout << "skipped: no photographs in " << folder << "\n";
    return;
  }
  for (auto& line : golden_lines("real")) {
    std::string name;
    std::string hash;
    std::string small_hash;
    Index h = 0;
    Index w = 0;
    REQUIRE(line >> name >> h >> w >> hash >> small_hash);
    INFO(name);
    const adtr::Image image = adtr::read_image(folder / name);
    CHECK(image.height == h);
    CHECK(image.width == w);
    CHECK(fnv(image.data) == hash);
    CHECK(fnv(adtr::resize(image, 256, 256).data) == small_hash);
  }
}

TEST_CASE("a mask with few low values marks a defect at every nonzero pixel") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "mask.png";
  adtr::Image image(2, 2);
  image.data = {0, 0, 0, 1, 1, 1, 0, 0, 9, 7, 7, 7};
  adtr::write_png(path, image);
  const adtr::Mask mask = adtr::read_mask(path);
  CHECK(mask.height == 2);
  CHECK(mask.width == 2);
  CHECK(mask.data == std::vector<std::uint8_t>{0, 255, 255, 255});
  CHECK(mask.defective());
  CHECK(!adtr::Mask(3, 3).defective());
}

TEST_CASE("a written PNG reads back unchanged") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out.png";
  for (const auto& [h, w] : {std::pair<Index, Index>{1, 1}, {20000, 1}, {1, 20000}, {37, 53}}) {
    const adtr::Image image = formula_image(h, w);
    adtr::write_png(path, image);
    const adtr::Image back = adtr::read_image(path);
    CHECK(back.height == h);
    CHECK(back.width == w);
    CHECK(back.data == image.data);
  }
  const auto grey = formula_pixels(5, 7, 1);
  const adtr::ImageView view(grey.data(), 5, 7, 1);
  adtr::write_png(path, view);
  CHECK(adtr::read_image(path).data == adtr::to_image(view).data);
}

TEST_CASE("a PNG that cannot be written leaves the old file") {
  const TemporaryFolder folder;
  const adtr::Image image = formula_image(64, 64);
  const auto missing = folder.path() / "none" / "out.png";
  check_error([&] { adtr::write_png(missing, image); }, missing, "cannot be written: there is no folder ");
  check_error([&] { adtr::write_png(folder.path(), image); }, folder.path(), "cannot be written: it is a folder");

  // The limit on a file's size fails in the same place as a full disk, with another reason.
  const auto path = write_file(folder.path() / "out.png", "before");
  ::rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const ::rlimit small{100, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string what;
  try {
    adtr::write_png(path, image);
  } catch (const adtr::Error& error) {
    what = error.what();
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(what == path.string() + ": cannot be written: File too large");
  CHECK(read_file(path) == "before");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);  // no temporary file left
}

TEST_CASE("bad image files are named with what is wrong") {
  const TemporaryFolder folder;
  const auto bad = [&](const std::string& name, std::string_view bytes, std::string_view words) {
    const auto path = write_file(folder.path() / name, bytes);
    check_error([&] { static_cast<void>(adtr::read_image(path)); }, path, words);
    check_error([&] { static_cast<void>(adtr::read_mask(path)); }, path, words);
  };
  const auto missing = folder.path() / "missing.png";
  check_error([&] { static_cast<void>(adtr::read_image(missing)); }, missing, "no such file");
  check_error([&] { static_cast<void>(adtr::read_image(folder.path())); }, folder.path(), "found a folder");

  bad("empty.png", "", "found an empty file (0 bytes)");
  bad("text.png", "These are not the pixels you are looking for.", "not an image: expected PNG, JPEG or BMP");
  bad("one_byte.jpg", "\xFF", "not an image");

  const auto file = [](const std::string& name) { return read_file(golden() / "images" / name); };
  // A PNG with a changed header but a correct checksum.
  const auto with_header = [](std::string png) {
    return png.replace(29, 4, number(crc_by_bits(std::string_view(png).substr(12, 17)), 4));
  };
  const std::string png = file("rgb8.png");
  SECTION("zero and absurd sizes") {
    std::string zero = png;
    std::fill_n(zero.begin() + 16, 4, '\0');
    bad("zero.png", with_header(zero), "PNG without pixels (21x0)");
    std::string huge = png;
    huge[17] = huge[21] = 0x7F;
    bad("huge.png", with_header(huge), "pixels, expected at most 268435456");
    std::string jpeg = file("grey.jpg");
    const auto frame = jpeg.find("\xFF\xC0");
    REQUIRE(frame != std::string::npos);
    std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(frame) + 7, 2, '\0');
    bad("zero.jpg", jpeg, "JPEG without pixels (21x0)");
    std::string bmp = file("rgb8.bmp");
    std::fill_n(bmp.begin() + 22, 4, '\0');
    bad("zero.bmp", bmp, "BMP without pixels (0x27)");
    bmp[25] = '\x80';  // a height without an absolute value in 32 bits
    bad("lowest.bmp", bmp, "BMP of 2147483648x27 pixels");
  }
  SECTION("damaged inside") {
    std::string body = png;
    std::fill_n(body.begin() + 60, 40, '\x5A');
    bad("damaged.png", body, "damaged PNG: the checksum of its chunk IDAT is wrong");
    std::string bits = file("rgb8.bmp");
    bits[28] = 13;
    bad("bits.bmp", bits, "damaged or unsupported BMP (");
    std::string tables = file("rgb.jpg");
    const auto table = tables.find("\xFF\xC4");
    REQUIRE(table != std::string::npos);
    std::fill_n(tables.begin() + static_cast<std::ptrdiff_t>(table) + 5, 2, '\xFF');
    bad("tables.jpg", tables, "damaged JPEG: a Huffman table of more than 256 codes");
    const std::string critical = with_chunk(png, chunk(std::string("\0\n\x01Z", 4), "of no known name"));
    bad("chunk.png", critical, "damaged or unsupported PNG (");
    bad("name.png", std::string(png).replace(37, 4, std::string("\0\n\x01Z", 4)),
        "the checksum of its chunk ???Z is wrong");
    const std::string filter = png_file({.height = 2, .width = 1, .rows = std::string("\7\1\7\1", 4)});
    bad("filter.png", filter, "damaged or unsupported PNG (");
    bad("no_frame.jpg", std::string("\xFF\xD8\xFF\xD9", 4), "JPEG without pixels (0x0)");
  }
  SECTION("bytes after the end are ignored") {
    for (const char* name : {"rgb8.png", "rgb.jpg", "rgb8.bmp"}) {
      const auto path = write_file(folder.path() / name, file(name) + "appended by a camera");
      CHECK(adtr::read_image(path).data == adtr::read_image(golden() / "images" / name).data);
    }
  }
}

TEST_CASE("a file cut anywhere is truncated") {
  const TemporaryFolder folder;
  const std::pair<const char*, std::size_t> files[] = {{"rgb8.png", 8}, {"grey16.png", 8},       {"palette.png", 8},
                                                       {"rgb.jpg", 3},  {"progressive.jpeg", 3}, {"rgb8.bmp", 30}};
  for (const auto& [name, shortest] : files) {
    const std::string whole = read_file(golden() / "images" / name);
    // The 3 bytes are the padding of a BMP's last row, which many programs leave out.
    const std::size_t longest = whole.size() - (std::string(name) == "rgb8.bmp" ? 4 : 1);
    for (std::size_t size = shortest; size <= longest; size += size + 40 < longest ? 29 : 1) {
      const auto path = write_file(folder.path() / name, std::string_view(whole).substr(0, size));
      INFO(name << " cut to " << size << " of " << whole.size());
      check_error([&] { static_cast<void>(adtr::read_image(path)); }, path,
                  "the file's " + std::to_string(size) + " bytes end before the image does");
    }
  }
}

TEST_CASE("the end of a JPEG's thumbnail is not the end of the JPEG") {
  const TemporaryFolder folder;
  const std::string jpeg = read_file(golden() / "images" / "rgb.jpg");
  const std::string thumbnail = read_file(golden() / "images" / "grey.jpg");
  const std::size_t length = thumbnail.size() + 2;
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(length >> 8);
  segment += static_cast<char>(length & 255);
  const std::string both = jpeg.substr(0, 2) + segment + thumbnail + jpeg.substr(2);
  const auto path = write_file(folder.path() / "both.jpg", both);
  CHECK(adtr::read_image(path).data == adtr::read_image(golden() / "images" / "rgb.jpg").data);
  write_file(path, std::string_view(both).substr(0, both.size() - 100));
  check_error([&] { static_cast<void>(adtr::read_image(path)); }, path, "truncated JPEG");
}
