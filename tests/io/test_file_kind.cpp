// Which files count as adtr's own.
#include "adtr/io/file_kind.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "adtr/data/image_file.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "io/material.hpp"
#include "io/outputs.hpp"
#include "support/catch.hpp"

namespace {

using adtr::FileKind;

bool is(const std::string& content, FileKind kind) {
  const TemporaryFolder folder;
  write_whole(folder.file("f"), content);
  return adtr::is_of_kind(folder.file("f"), kind);
}

std::string png_of(adtr::Index height, adtr::Index width) {
  const TemporaryFolder folder;
  adtr::Image image(height, width);
  for (std::size_t i = 0; i < image.data.size(); ++i) image.data[i] = static_cast<std::uint8_t>(i * 7);
  adtr::write_png(folder.file("a.png"), image);
  return read_whole(folder.file("a.png"));
}

std::string marked(const std::string& png) {
  const auto bytes = adtr::png_with_software(std::as_bytes(std::span(png.data(), png.size())));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("file_kind: each kind is distinguished from every other") {
  const TemporaryFolder folder;
  for (const FileKind written : all_kinds) {
    const std::string path = folder.file("own" + std::to_string(static_cast<int>(written)));
    write_of_kind(path, written);
    for (const FileKind asked : all_kinds) {
      INFO(adtr::name_of(written) << " taken for " << adtr::name_of(asked));
      CHECK(adtr::is_of_kind(path, asked) == (asked == written));
    }
  }
}

TEST_CASE("file_kind: an empty file may be replaced, an unreadable one may not") {
  const TemporaryFolder folder;
  write_whole(folder.file("empty"), "");
  for (const FileKind kind : all_kinds) {
    CHECK(adtr::is_of_kind(folder.file("empty"), kind));
    CHECK_FALSE(adtr::is_of_kind(folder.file("absent"), kind));
    CHECK_FALSE(adtr::is_of_kind(folder.path(), kind));
  }
  write_of_kind(folder.file("page"), FileKind::page);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(folder.file("page"), std::filesystem::perms(0));
  const auto said =
      as_user([&] { return std::string(adtr::is_of_kind(folder.file("page"), FileKind::page) ? "y" : "n"); });
  if (said) CHECK(*said == "n");
}

TEST_CASE("file_kind: JSON of other programs is not adtr's") {
  for (const char* own :
       {R"({"adtr": {"version": "1.0", "command": "detect"}, "images": []})", "{\"adtr\":{}}", "\n {\n \"adtr\" :\t{\"",
        R"([{"file": "a.png", "score": 1.5, "threshold": null, "anomalous": null, "seconds": 0.1}])",
        R"({"image_auroc": 1, "images_good": 1, "images_defective": 2, "seconds_per_image": 0.1, "reasons": []})",
        R"({"model": "m", "recipe": "fast", "images_held_out": 0, "seconds_features": 1, "losses": [0.5]})"}) {
    INFO(own);
    CHECK(is(own, FileKind::json));
  }
  for (const char* other :
       {R"({"name": "package", "version": "1.0", "adtr": {}})", R"({"adtr": "1.0"})", R"({"adtrx": {}})", "{}", "[]",
        "7", R"([{"file": "a.png", "score": 1.5, "threshold": null, "seconds": 0.1}, {"file": "b.png"}])",
        R"([{"file": "a.png", "score": 1.5, "threshold": null, "seconds": 0.1}] and more)", R"(["file", "score"])",
        "adtr: not JSON", R"({"images_good": 1})"}) {
    INFO(other);
    CHECK_FALSE(is(other, FileKind::json));
  }
}

TEST_CASE("file_kind: pages, models and arrays of other programs are not adtr's") {
  CHECK_FALSE(is("<!DOCTYPE html><html><head><title>adtr</title></head></html>", FileKind::page));
  CHECK_FALSE(is("<html><meta name=\"generator\" content=\"Hugo\">", FileKind::page));
  CHECK_FALSE(is(std::string(5000, ' ') + std::string(adtr::page_mark), FileKind::page));
  const TemporaryFolder folder;
  const std::string path = folder.file("weights");
  adtr::write_safetensors(path, {}, {{"format", "pt"}, {"architecture", "resnet18"}});
  CHECK_FALSE(adtr::is_of_kind(path, FileKind::model));
  adtr::write_safetensors(path, {}, {});
  CHECK_FALSE(adtr::is_of_kind(path, FileKind::model));
  write_of_kind(path, FileKind::model);
  const std::string whole = read_whole(path);
  CHECK_FALSE(is(whole.substr(0, whole.size() - 1), FileKind::model));

  const std::string scores = folder.file("scores.npy");
  write_of_kind(scores, FileKind::score_map);
  CHECK(adtr::is_of_kind(scores, FileKind::score_map));
  write_whole(folder.file("scores.png"), png_of(2, 2));
  CHECK_FALSE(adtr::is_of_kind(scores, FileKind::score_map));
  std::filesystem::remove(folder.file("scores.png"));
  CHECK_FALSE(adtr::is_of_kind(scores, FileKind::score_map));
  write_of_kind(folder.file("scores.png"), FileKind::heat_map);
  for (const char* other : {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
                            "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
                            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }"}) {
    INFO(other);
    write_whole(scores, npy(other, 16));
    CHECK_FALSE(adtr::is_of_kind(scores, FileKind::score_map));
  }
}

TEST_CASE("png_mark: a marked picture is a PNG with the same pixels and the mark") {
  for (const auto& [height, width] : {std::pair<adtr::Index, adtr::Index>{1, 1}, {3, 5}, {64, 48}}) {
    const std::string plain = png_of(height, width), own = marked(plain);
    CHECK_FALSE(is(plain, FileKind::heat_map));
    CHECK(is(own, FileKind::heat_map));
    CHECK(own.size() == plain.size() + 12 + 9 + adtr::heat_map_software.size());
    const TemporaryFolder folder;
    write_whole(folder.file("own.png"), own);
    write_whole(folder.file("plain.png"), plain);
    CHECK(adtr::read_image(folder.file("own.png")).data == adtr::read_image(folder.file("plain.png")).data);
  }
}

TEST_CASE("png_mark: the checksum is PNG's, and other bytes are unchanged") {
  // Every PNG ends with a chunk without data, which has this checksum.
  const std::array<std::uint8_t, 4> end{'I', 'E', 'N', 'D'};
  CHECK(adtr::detail::crc32(end) == 0xAE426082);
  const std::string own = marked(png_of(2, 2));
  for (std::size_t n = 0; n < 33; ++n) CHECK(marked(own.substr(0, n)) == own.substr(0, n));
  CHECK(marked("GIF89a" + std::string(100, 'x')) == "GIF89a" + std::string(100, 'x'));
  for (std::size_t n = 0; n < own.size(); ++n)
    is(own.substr(0, n), FileKind::heat_map);  // must not read beyond the end
}
