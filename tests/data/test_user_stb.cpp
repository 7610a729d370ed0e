/// A program with its own stb (user_stb.cpp) links with adtr's, and neither changes the other.
#include "adtr/data/image_file.hpp"
#include "support.hpp"

bool user_reads(const char* path);
bool user_writes(const char* path);
adtr::Image adtr_reads(const char* path);

using namespace test_data;

TEST_CASE("a program may have its own stb") {
  const TemporaryFolder folder;
  const std::string small = (folder.path() / "small.png").string();
  const std::string large = (folder.path() / "large.png").string();
  const std::string jpeg = (golden() / "images" / "rgb.jpg").string();
  CHECK(user_writes(small.c_str()));
  adtr::write_png(large, formula_image(8, 8));
  CHECK(user_reads(small.c_str()));
  CHECK(!user_reads(large.c_str()));  // its limit is 7
  CHECK(!user_reads(jpeg.c_str()));   // it has no JPEG
  CHECK(adtr_reads(large.c_str()).data == formula_image(8, 8).data);
  CHECK(adtr_reads(jpeg.c_str()).data == adtr::read_image(jpeg).data);
}
