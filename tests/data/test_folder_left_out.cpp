/// A scan lists everything that it leaves out with the reason, and stops if that is most of a folder.
#include "folder_support.hpp"

using namespace test_data;

namespace {

std::string bytes_of(std::initializer_list<int> values, std::size_t size = 64) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(static_cast<unsigned char>(value));
  bytes.resize(std::max(size, bytes.size()));
  return bytes;
}

const std::string tiff = bytes_of({'I', 'I', '*', 0});
const std::string webp = std::string("RIFF\x10\0\0\0WEBPVP8 ", 16);

}  // namespace

TEST_CASE("two PNGs with ten TIFFs, ten WebPs and a folder") {
  const TemporaryFolder folder;
  const auto good = GENERATE(false, true) ? folder.path() / "train" / "good" : folder.path();
  for (int i = 0; i < 2; ++i) write_image(good / ("p" + std::to_string(i) + ".png"));
  for (int i = 0; i < 10; ++i) write_file(good / ("t" + std::to_string(i) + ".tif"), tiff);
  for (int i = 0; i < 10; ++i) write_file(good / ("w" + std::to_string(i) + ".webp"), webp);
  write_image(good / "more" / "deep" / "3.png");
  write_file(good / "more" / "4.tiff", tiff);
  write_file(good / "notes.txt", "words");
  const std::string left =
      "left out: 10 TIFF images, which adtr does not read (t0.tif, …); 10 WebP images, which adtr does not read "
      "(w0.webp, …); 1 folder that contains 2 images (more); 1 file that is not an image (notes.txt)";
  check_stops([&] { static_cast<void>(adtr::scan_training(folder.path())); }, ErrorCode::bad_data, good,
              "only 2 of 24 images would be used; " + left +
                  "; convert, rename or move the others, or pass --allow (ScanOptions::allow) to leave them out");
  const auto set = adtr::scan_training(folder.path(), allow);
  CHECK(names(set) == Names{"good/p0.png", "good/p1.png"});
  CHECK(adtr::describe(set.left_out) == left);
  REQUIRE(set.allowed.size() == 1);
  CHECK(set.allowed[0] == good.string() + ": only 2 of 24 images would be used; " + left);
  REQUIRE(set.left_out.size() == 4);
  CHECK(set.left_out[2].count == 1);
  CHECK(set.left_out[2].images == 2);
  CHECK(set.left_out[2].example == good / "more");
}

TEST_CASE("a scan stops if it leaves out more images than it takes, and not before") {
  const TemporaryFolder folder;
  for (const char* name : {"1.png", "2.png"}) write_image(folder.path() / name);
  CHECK(adtr::scan_training(folder.path()).left_out.empty());
  for (const char* name : {"3.tif", "4.tif"}) write_file(folder.path() / name, tiff);
  const auto set = adtr::scan_training(folder.path());
  CHECK(adtr::describe(set.left_out) == "left out: 2 TIFF images, which adtr does not read (3.tif, …)");
  CHECK(set.allowed.empty());
  write_file(folder.path() / "5.tif", tiff);
  check_stops([&] { static_cast<void>(adtr::scan_training(folder.path())); }, ErrorCode::bad_data, folder.path(),
              "2 of 5");
}

TEST_CASE("each kind of file that is left out") {
  const std::string rest = ", which adtr does not read",
                    png = read_file(write_image(TemporaryFolder().path() / "a.png"));
  const std::string wrong = " without the extension .png, .jpg, .jpeg or .bmp";
  struct Case {
    std::string name, bytes, reason;
    std::size_t images;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"a.tif", tiff, "TIFF image" + rest, 1},
           {"a.TIFF", "", "TIFF image" + rest, 1},
           {"a.dat", bytes_of({'M', 'M', 0, '*'}), "TIFF image" + rest, 1},
           {"a.webp", webp, "WebP image" + rest, 1},
           {"a", "GIF89a", "GIF image" + rest, 1},
           {"a.avif", bytes_of({0, 0, 0, 32, 'f', 't', 'y', 'p', 'a', 'v', 'i', 'f'}), "AVIF image" + rest, 1},
           {"IMG.HEIC", bytes_of({0, 0, 0, 24, 'f', 't', 'y', 'p', 'h', 'e', 'i', 'c'}), "HEIC image" + rest, 1},
           {"a.jp2", "", "JPEG 2000 image" + rest, 1},
           {"a.pgm", "P5\n1 1\n255\nx", "PNM image" + rest, 1},
           {"a.dcm", "", "DICOM image" + rest, 1},
           {"a.CR2", "", "raw camera image" + rest, 1},
           {"a.dat", png, "PNG image" + wrong, 1},
           {"a.png_", png, "PNG image" + wrong, 1},
           {"a.tif", png, "PNG image" + wrong, 1},  // the content counts, not the name
           {"a", bytes_of({0xFF, 0xD8, 0xFF, 0xE0}), "JPEG image" + wrong, 1},
           {"a.jfif", bytes_of({0xFF, 0xD8, 0xFF, 0xE0}), "JPEG image" + wrong, 1},
           {"a.dib", bytes_of({'B', 'M', 90, 0, 0, 0, 0, 0, 0, 0, 54, 0}), "BMP image" + wrong, 1},
           {".a.png", png, "hidden image", 1},
           {".a.png", "", "hidden file", 0},
           {"._a.png", bytes_of({0, 5, 22, 7, 0, 2, 0, 0}), "hidden file", 0},
           {"._a.tif", bytes_of({0, 5, 22, 7, 0, 2, 0, 0}), "hidden file", 0},
           {".DS_Store", "words", "hidden file", 0},
           {"Thumbs.db", "\xD0\xCF\x11\xE0", "file that is not an image", 0},
           {"notes.txt", "BM is no picture", "file that is not an image", 0},
           {"labels.json", "{}", "file that is not an image", 0},
           {"empty", "", "file that is not an image", 0},
           {"folder/notes.txt", "", "folder without images", 0},
           {"folder/a.png", png, "folder that contains 1 image", 1},
           {"folder.png/a.webp", "", "folder that contains 1 image", 1},
           {".hidden/a.png", png, "hidden folder", 0},
           {"folder/.hidden/a.png", png, "folder without images", 0}}) {
    INFO(c.name << ", expected " << c.reason);
    const TemporaryFolder folder;
    write_image(folder.path() / "z.png");
    write_file(folder.path() / c.name, c.bytes);
    const auto set = adtr::scan_training(folder.path());
    CHECK(set.size() == 1);
    REQUIRE(set.left_out.size() == 1);
    CHECK(set.left_out[0].reason == c.reason);
    CHECK(set.left_out[0].count == 1);
    CHECK(set.left_out[0].images == c.images);
    CHECK(set.left_out[0].example == folder.path() / *std::filesystem::path(c.name).begin());
  }
}

TEST_CASE("notes and other files that are not images are listed and never stop a scan") {
  const TemporaryFolder folder;
  write_image(folder.path() / "1.png");
  for (const char* name : {"a.txt", "b.txt", "Thumbs.db", "._1.png", ".DS_Store", "c.csv"})
    write_file(folder.path() / name, "words");
  const auto set = adtr::scan_training(folder.path());
  CHECK(adtr::describe(set.left_out) ==
        "left out: 4 files that are not images (Thumbs.db, …); 2 hidden files (.DS_Store, …)");
}

TEST_CASE("the error of a folder without images lists its content") {
  const TemporaryFolder folder;
  write_file(folder.path() / "1.tif", tiff);
  write_image(folder.path() / "good" / "1.png");
  const std::string words =
      "expected images (.png, .jpg, .jpeg, .bmp), found none; left out: 1 TIFF image, which adtr does not read "
      "(1.tif); "
      "1 folder that contains 1 image (good)";
  for (const auto& options : {adtr::ScanOptions{}, allow}) {
    check_stops([&] { static_cast<void>(adtr::scan_training(folder.path(), options)); }, ErrorCode::bad_data,
                folder.path(), words);
    check_stops([&] { static_cast<void>(adtr::list_images_of(folder.path(), options)); }, ErrorCode::bad_data,
                folder.path(), words);
  }
}

TEST_CASE("images next to the folders of the layout") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  for (const char* name :
       {"train/good/0.png", "train/good/1.png", "train/bad/2.png", "train/bad/3.png", "train/bad/4.png", "train/5.png",
        "test/good/6.png", "test/bent/7.png", "test/8.png", "test2/good/9.png", "10.png"})
    write_image(root / name);
  write_file(root / "license.txt", "words");
  write_file(root / "docs" / "readme.txt", "words");
  write_mask(root / "ground_truth" / "bent" / "7_mask.png", true);
  write_mask(root / "ground_truth" / "7_mask.png", true);
  const std::string beside = "1 folder next to train, test and ground_truth that contains 1 image (test2); ";
  CHECK(adtr::describe(adtr::scan_training(root).left_out) ==
        "left out: " + beside + "1 folder that contains 3 images (bad); 1 image directly in " +
            root.filename().string() + " (10.png); 1 image directly in train (5.png)");
  const auto tested = adtr::scan_test(root);
  CHECK(names(tested) == Names{"bent/7.png", "good/6.png"});
  CHECK(adtr::describe(tested.left_out) ==
        "left out: " + beside + "1 image directly in " + root.filename().string() +
            " (10.png); 1 image directly in ground_truth (7_mask.png); 1 image directly in test (8.png)");

  for (const char* name : {"11.png", "12.png"}) write_image(root / "test" / name);
  check_stops([&] { static_cast<void>(adtr::scan_test(root)); }, ErrorCode::bad_data, root / "test", "2 of 5 images");
  CHECK(adtr::scan_test(root, allow).size() == 2);
  for (const char* name : {"11.png", "12.png"}) write_image(root / "train" / name);
  check_stops([&] { static_cast<void>(adtr::scan_training(root)); }, ErrorCode::bad_data, root / "train",
              "2 of 5 images");
}

TEST_CASE("masks in a format that adtr does not read are reported") {
  const TemporaryFolder folder;
  write_image(folder.path() / "test" / "bent" / "0.png");
  write_image(folder.path() / "test" / "bent" / "1.png");
  const auto masks = folder.path() / "ground_truth" / "bent";
  write_mask(masks / "0_mask.png", true);
  write_file(masks / "1_mask.tif", tiff);
  CHECK(adtr::describe(adtr::scan_test(folder.path()).left_out) ==
        "left out: 1 TIFF image, which adtr does not read (1_mask.tif)");
  std::filesystem::remove(masks / "0_mask.png");
  const auto scan = [&] { static_cast<void>(adtr::scan_test(folder.path())); };
  check_stops(scan, ErrorCode::bad_data, masks, "only 0 of 1 image would be used");
}

TEST_CASE("the images of any folder, for detection") {
  const TemporaryFolder folder;
  for (const char* name : {"b.png", "a.JPG", "c.bmp"}) write_image(folder.path() / name);
  write_file(folder.path() / "d.tif", tiff);
  std::filesystem::create_symlink("nowhere", folder.path() / "e.png");
  const auto set = adtr::list_images_of(folder.path());
  const std::string kind = folder.path().filename().string();
  CHECK(names(set) == Names{kind + "/a.JPG", kind + "/b.png", kind + "/c.bmp", kind + "/e.png"});
  CHECK(adtr::describe(set.left_out) == "left out: 1 TIFF image, which adtr does not read (d.tif)");
  CHECK_THROWS_AS(adtr::read_image(set[3]),
                  adtr::Error);  // reported by read_image(), so that the others are still judged
  CHECK(names(adtr::list_images_of(folder.path() / ""))[0] == kind + "/a.JPG");
}

TEST_CASE("names with line breaks and bytes that are not UTF-8 are paths like others") {
  const TemporaryFolder folder;
  const auto strange = folder.path() / "a\nb\xE9";
  for (const char* name : {"1\n.png", "\xFF.png", "3.png"}) write_image(strange / "train" / "good" / name);
  write_file(strange / "train" / "good" / "x\ny\xFE.tif", tiff);
  const auto set = adtr::scan_training(strange);
  CHECK(names(set) == Names{"good/1\n.png", "good/3.png", "good/\xFF.png"});
  CHECK_NOTHROW(adtr::check_images(set));
  REQUIRE(set.left_out.size() == 1);
  CHECK(set.left_out[0].example == strange / "train" / "good" / "x\ny\xFE.tif");
  CHECK(adtr::describe(set.left_out) == "left out: 1 TIFF image, which adtr does not read (x?y?.tif)");
  for (int i = 0; i < 4; ++i) write_file(strange / "train" / "good" / (std::to_string(i) + ".tif"), tiff);
  const auto allowed = adtr::scan_training(strange, allow).allowed;
  REQUIRE(allowed.size() == 1);
  CHECK(allowed[0].starts_with((folder.path() / "a?b?").string() + "/train/good: only 3 of 8 images"));
}
