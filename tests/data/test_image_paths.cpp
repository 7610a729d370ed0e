/// Files that are not images and paths that are not files are named by their type, and never block.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "adtr/data/image_file.hpp"
#include "image_bytes.hpp"

using namespace test_data;
using adtr::ErrorCode;

namespace {

/// Every way of reading gives the same error.
void check_unread(const std::filesystem::path& path, std::string_view words, ErrorCode code) {
  const auto check = [&](const auto& read) {
    check_error(read, path, words);
    try {
      read();
    } catch (const adtr::Error& error) {
      CHECK(error.code() == code);
    }
  };
  check([&] { static_cast<void>(adtr::read_image(path)); });
  check([&] { static_cast<void>(adtr::read_mask(path)); });
  check([&] { static_cast<void>(adtr::read_image_header(path)); });
}

}  // namespace

TEST_CASE("other files are named by their type") {
  const TemporaryFolder folder;
  const auto is = [&](std::string_view bytes, const std::string& name) {
    INFO(name);
    const auto path = write_file(folder.path() / "part.png", bytes);
    check_unread(path, "part.png: is " + name, ErrorCode::bad_image);
    check_unread(path, "; adtr reads PNG, JPEG and BMP", ErrorCode::bad_image);
  };
  using namespace std::string_literals;
  is("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "a Git LFS pointer");
  is("<!DOCTYPE html>\n<html><head><title>404</title>", "an HTML page");
  is("\xEF\xBB\xBF\r\n <HTML>", "an HTML page");
  is("<?xml version=\"1.0\"?>\n<svg width=\"9\"/>", "an SVG drawing");
  is("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>", "an XML file");
  is("II*\0\x08\0\0\0"s, "a TIFF image");
  is("MM\0*\0\0\0\x08"s, "a TIFF image");
  is("RIFF\x24\0\0\0WEBPVP8 "s, "a WebP image");
  is("GIF89a\1\0\1\0"s, "a GIF image");
  is("\0\0\0\x18"
     "ftypheic\0\0\0\0"s,
     "a HEIC image");
  is("\0\0\0\x18"
     "ftypavif\0\0\0\0"s,
     "an AVIF image");
  is("\0\0\0\x18"
     "ftypisom\0\0\0\0"s,
     "a video");
  is("\0\0\0\x0CjP  \r\n\x87\n"s, "a JPEG 2000 image");
  is("%PDF-1.7\n", "a PDF document");
  is("PK\3\4\x14\0\0\0"s, "a zip archive");
  is("\x1F\x8B\x08\0"s, "a gzip archive");
  is("\x93NUMPY\1\0v\0"s, "a NumPy array");
  is("\x40\0\0\0\0\0\0\0{\"w\":{}}"s, "a file of weights (safetensors)");
  is("\x40\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"adtr\"}}"s, "an adtr model");
  is("P6\n2 2\n255\n", "a PNM image");
  is("{\"image\": 1}", "a JSON file");
  is(std::string(100, '\0'), "a file of zeros");
  check_unread(write_file(folder.path() / "a.png", "nothing that is known"), "not an image: expected PNG, JPEG or BMP",
               ErrorCode::bad_image);
  check_unread(write_file(folder.path() / "a.png", ""), "found an empty file (0 bytes)", ErrorCode::bad_image);
}

TEST_CASE("links, folders, pipes and devices are named, and none blocks") {
  const TemporaryFolder folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  const auto image = at("image.png");
  adtr::write_png(image, formula_image(3, 4));

  check_unread(at("none.png"), "no such file", ErrorCode::file_missing);
  check_unread(at("none") / "a.png", "there is no folder " + at("none").string(), ErrorCode::file_missing);
  check_unread(image / "a.png", image.string() + " is a file, expected a folder", ErrorCode::file_unreadable);
  check_unread(folder.path(), "expected an image, found a folder", ErrorCode::file_unreadable);
  check_unread(at(std::string(300, 'x').c_str()), "its name is too long for the file system",
               ErrorCode::file_unreadable);

  std::filesystem::create_symlink("image.png", at("link.png"));
  std::filesystem::create_symlink("link.png", at("link_to_link.png"));
  std::filesystem::create_hard_link(image, at("hard.png"));
  for (const char* name : {"link.png", "link_to_link.png", "hard.png"})
    CHECK(adtr::read_image(at(name)).data == formula_image(3, 4).data);
  std::filesystem::create_symlink("gone.png", at("dangling.png"));
  check_unread(at("dangling.png"), "a link to gone.png, which does not exist", ErrorCode::file_missing);
  std::filesystem::create_symlink("loop_b.png", at("loop_a.png"));
  std::filesystem::create_symlink("loop_a.png", at("loop_b.png"));
  check_unread(at("loop_a.png"), "the links lead back to where they began", ErrorCode::file_unreadable);
  std::filesystem::create_symlink(".", at("folder_link.png"));
  check_unread(at("folder_link.png"), "found a folder", ErrorCode::file_unreadable);

  REQUIRE(::mkfifo(at("pipe.png").c_str(), 0600) == 0);
  check_unread(at("pipe.png"), "expected an image, found a pipe", ErrorCode::file_unreadable);
  check_unread("/dev/null", "expected an image, found a device", ErrorCode::file_unreadable);
  check_unread("/dev/tty", "expected an image, found a device", ErrorCode::file_unreadable);
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = at("socket.png").string();
  REQUIRE(name.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, name.c_str(), name.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)) == 0);
  ::close(socket);
  check_unread(name, "expected an image, found a socket", ErrorCode::file_unreadable);

  if (::geteuid() == 0) return;  // root may read all
  std::filesystem::permissions(image, std::filesystem::perms::none);
  check_unread(image, "cannot be read: Permission denied", ErrorCode::file_unreadable);
  std::filesystem::create_directory(at("closed"));
  write_file(at("closed") / "a.png", "x");
  std::filesystem::permissions(at("closed"), std::filesystem::perms::none);
  check_unread(at("closed") / "a.png", "cannot be read: Permission denied", ErrorCode::file_unreadable);
  std::filesystem::permissions(at("closed"), std::filesystem::perms::owner_all);
}

TEST_CASE("an empty path is named") {
  for (const auto read :
       {+[] { static_cast<void>(adtr::read_image("")); }, +[] { static_cast<void>(adtr::read_mask("")); }}) {
    CHECK_THROWS_WITH(read(), "expected the path of an image, found an empty path");
  }
}

TEST_CASE("a header has the properties that are known without the pixels") {
  for (const auto& [name, format] : {std::pair{"rgb8.png", "PNG"}, {"rgb.jpg", "JPEG"}, {"rgb8.bmp", "BMP"}}) {
    const adtr::ImageHeader header = adtr::read_image_header(golden() / "images" / name);
    CHECK(header.format == format);
    CHECK((header.height == 21 && header.width == 27 && header.orientation == 1));
  }
}
