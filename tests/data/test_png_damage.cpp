/// A damaged PNG is refused: no wrong bit can change the pixels unnoticed.
#include <cstring>
#include <random>

#include "adtr/data/decode.hpp"
#include "adtr/data/image_file.hpp"
#include "image_bytes.hpp"

using namespace test_data;

namespace {

/// Decodes a file that a test made in memory.
adtr::Image decoded(const std::string& file) {
  std::vector<std::uint8_t> bytes(file.begin(), file.end());
  const auto stored = adtr::detail::decode<std::uint8_t>(adtr::stb::stbi_load_from_memory, bytes, "test.png", 3);
  adtr::Image image(stored.height, stored.width);
  std::copy_n(stored.pixels.get(), image.data.size(), image.data.begin());
  return image;
}

/// One file of every kind, the last with a chunk of every kind.
std::vector<std::pair<std::string, std::string>> files() {
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* name : {"rgb8.png", "grey16.png", "palette.png", "rgba8.png", "one_bit.png"})
    files.emplace_back(name, read_file(golden() / "images" / name));
  const auto pixels = formula_pixels(13, 11, 3);
  files.emplace_back(
      "interlaced",
      png_file(
          {.height = 13, .width = 11, .colour = 2, .interlaced = true, .rows = png_rows(pixels, 13, 11, 3, true)}));
  const std::string chunks = chunk("gAMA", number(45455, 4)) + chunk("PLTE", std::string("\0\0\0\1\2\3\377\200\7", 9)) +
                             chunk("tRNS", std::string("\0\377", 2)) + chunk("eXIf", exif_block(6, true)) +
                             chunk("tEXt", std::string("Comment\0made by a test", 22));
  std::vector<std::uint8_t> indices(35);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::uint8_t>(i * i % 3);
  files.emplace_back("all chunks", png_file({.height = 5,
                                             .width = 7,
                                             .colour = 3,
                                             .before = chunks,
                                             .rows = png_rows(indices, 5, 7, 1),
                                             .after = chunk("tIME", std::string("\7\352\1\1\0\0\0", 7))}));
  return files;
}

void check_refused(const std::string& file, std::string_view words) {
  try {
    static_cast<void>(decoded(file));
  } catch (const adtr::Error& error) {
    INFO(error.what());
    CHECK(std::string(error.what()).find(words) != std::string::npos);
    CHECK(error.code() == adtr::ErrorCode::bad_image);
    return;
  }
  FAIL("no error, expected: " << words);
}

}  // namespace

TEST_CASE("the checksums follow their definitions") {
  std::mt19937 random(1);
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 15U, 16U, 17U, 5551U, 5552U, 5553U, 5568U, 70000U}) {
    std::string bytes(size, '\0');
    const bool high = size % 2 == 0;  // the largest sums
    for (char& byte : bytes) byte = high ? '\xFF' : static_cast<char>(random());
    const std::vector<std::uint8_t> same(bytes.begin(), bytes.end());
    CHECK(adtr::detail::crc32(same) == crc_by_bits(bytes));
    CHECK(adtr::detail::adler32(same) == adler_by_bytes(bytes));
  }
  CHECK(crc_by_bits("IEND") == 0xAE426082);
  CHECK(adler_by_bytes("Wikipedia") == 0x11E60398);
}

TEST_CASE("every bit of every chunk of a PNG is verified") {
  for (const auto& [name, file] : files()) {
    const adtr::Image whole = decoded(file);
    CHECK(whole.height > 0);
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
      std::string damaged = file;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      try {
        static_cast<void>(decoded(damaged));
      } catch (const adtr::Error& error) {
        refused += error.code() == adtr::ErrorCode::bad_image;
      }
    }
    INFO(name);
    CHECK(refused == 8 * file.size());
  }
}

TEST_CASE("1,000 random changes of PNG files never change pixels unnoticed") {
  const TemporaryFolder folder;
  std::mt19937 random(3);
  const auto all = files();
  for (int round = 0; round < 1000; ++round) {
    const auto& [name, file] = all[random() % all.size()];
    std::string damaged = file;
    const std::size_t at = random() % file.size();
    switch (random() % 4) {
      case 0:
        damaged[at] = static_cast<char>(random());
        break;
      case 1:
        damaged.erase(at, 1 + random() % 9);
        break;
      case 2:
        damaged.insert(at, 1 + random() % 9, static_cast<char>(random()));
        break;
      default:
        for (int i = 0; i < 5; ++i) damaged[random() % file.size()] = static_cast<char>(random());
    }
    const auto path = write_file(folder.path() / "damaged.png", damaged);
    INFO(name << " in round " << round);
    try {
      const adtr::Image image = adtr::read_image(path);
      const adtr::Image whole = adtr::read_image(write_file(folder.path() / "whole.png", file));
      REQUIRE(image.height == whole.height);
      REQUIRE(image.data == whole.data);
    } catch (const adtr::Error& error) {
      REQUIRE(std::string(error.what()).starts_with(path.string() + ": "));
    }
  }
}

TEST_CASE("the checksum of a PNG's pixels is verified, with correct chunks") {
  const auto pixels = formula_pixels(9, 10, 1);
  const std::string rows = png_rows(pixels, 9, 10, 1);
  const auto file = [&](const std::string& stream) {
    return png_signature + chunk("IHDR", number(10, 4) + number(9, 4) + std::string("\x08\0\0\0\0", 5)) +
           chunk("IDAT", stream) + chunk("IEND", "");
  };
  const std::string stream = zlib(rows);
  CHECK(decoded(file(stream)).row(3)[3 * 4] == pixels[34]);
  constexpr std::string_view wrong = "damaged PNG: the checksum of its compressed pixels is wrong";
  std::string other = stream;
  other[20] = static_cast<char>(other[20] ^ 1);  // changes a pixel, like a faulty encoder or a flipped bit in memory
  check_refused(file(other), wrong);
  std::string sum = stream;
  sum.back() = static_cast<char>(sum.back() ^ 1);
  check_refused(file(sum), wrong);
  check_refused(file(stream.substr(0, stream.size() - 4)), "PNG");
  check_refused(file(stream.substr(0, stream.size() / 2)), "PNG");
  check_refused(file(zlib(rows.substr(0, rows.size() - 1))), "PNG (");  // a valid stream with too few pixels
  CHECK(decoded(file(stream + std::string(7, 'x'))).data == decoded(file(stream)).data);
  // The stream is split into several chunks, as by most encoders.
  const std::string split =
      png_signature + chunk("IHDR", number(10, 4) + number(9, 4) + std::string("\x08\0\0\0\0", 5)) +
      chunk("IDAT", stream.substr(0, 3)) + chunk("IDAT", "") + chunk("IDAT", stream.substr(3)) + chunk("IEND", "");
  CHECK(decoded(split).data == decoded(file(stream)).data);
}

TEST_CASE("unsupported kinds of PNG are named") {
  const std::string png = read_file(golden() / "images" / "rgb8.png");
  check_refused(png_signature + chunk("CgBI", "\x30\1\2\3") + png.substr(8), "is an iPhone PNG (chunk CgBI)");
  check_refused(png_signature + chunk("IDAT", "") + png.substr(8), "its first chunk is IDAT, expected IHDR");
  // PNG decoders show the still image of an animation.
  const std::string animated = chunk("acTL", number(2, 4) + number(0, 4));
  CHECK(decoded(with_chunk(png, animated)).data == decoded(png).data);
}
