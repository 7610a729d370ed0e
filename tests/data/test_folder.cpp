/// Folders in MVTec's layout and plain ones, intact and broken.
#include "folder_support.hpp"

using namespace test_data;

TEST_CASE("the good images of a training folder, sorted") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  for (const char* name : {"b.png", "a.PNG", "10.png", "9.jpeg", "Z.JPG", "c.Bmp"}) {
    write_image(root / "train" / "good" / name);
    write_image(root / "plain" / name);
  }
  for (const char* name : {"Thumbs.db", "notes.txt", "._b.png", "a.png.tmp"}) {
    write_file(root / "train" / "good" / name, "not an image");
    write_file(root / "plain" / name, "not an image");
  }
  std::filesystem::create_directories(root / "plain" / "folder.png");
  const Names expected{"good/10.png", "good/9.jpeg", "good/Z.JPG", "good/a.PNG", "good/b.png", "good/c.Bmp"};
  CHECK(names(adtr::scan_training(root)) == expected);
  CHECK(names(adtr::scan_training(root / "plain")) == expected);
  const auto samples = adtr::scan_training(root);
  CHECK(!samples[0].defective);
  CHECK(!samples[0].mask);
  CHECK(samples[0].path == root / "train" / "good" / "10.png");
  CHECK_NOTHROW(adtr::check_images(samples));
}

TEST_CASE("the images of a test folder with their masks") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  for (const char* name : {"scratch/1.png", "scratch/0.jpg", "good/0.png", "bent/0.png", "bent/1.png"}) {
    write_image(root / "test" / name);
  }
  SECTION("without masks") {
    for (const auto& sample : adtr::scan_test(root)) CHECK(!sample.mask);
  }
  SECTION("with masks of both names, and one image without") {
    write_image(root / "ground_truth" / "scratch" / "0_mask.png");
    write_image(root / "ground_truth" / "scratch" / "1.png");
    write_image(root / "ground_truth" / "bent" / "1_mask.PNG");
    write_file(root / "ground_truth" / "bent" / "Thumbs.db", "");
    const auto samples = adtr::scan_test(root);
    CHECK(names(samples) == Names{"bent/0.png", "bent/1.png", "good/0.png", "scratch/0.jpg", "scratch/1.png"});
    CHECK(samples[0].defective);
    CHECK(!samples[2].defective);
    CHECK(!samples[0].mask);
    CHECK(samples[1].mask == root / "ground_truth" / "bent" / "1_mask.PNG");
    CHECK(!samples[2].mask);
    CHECK(samples[3].mask == root / "ground_truth" / "scratch" / "0_mask.png");
    CHECK(samples[4].mask == root / "ground_truth" / "scratch" / "1.png");
    CHECK_NOTHROW(adtr::check_images(samples));
  }
}

TEST_CASE("folders that are missing or hold no images") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  const auto training = [](const auto& path) { return [path] { static_cast<void>(adtr::scan_training(path)); }; };
  const auto test = [](const auto& path) { return [path] { static_cast<void>(adtr::scan_test(path)); }; };
  check_stops(training(root / "none"), ErrorCode::file_missing, root / "none", "no such folder");
  check_stops(test(root / "none"), ErrorCode::file_missing, root / "none", "no such folder");
  check_stops(training(root), ErrorCode::bad_data, root, "expected images (.png, .jpg, .jpeg, .bmp), found none");
  check_error(test(root), root / "test", "no such folder");
  const auto file = write_file(root / "file", "");
  check_stops(training(file), ErrorCode::file_unreadable, file, "expected a folder, found a file");

  std::filesystem::create_directories(root / "train");
  check_error(training(root), root / "train" / "good", "no such folder");
  write_file(root / "train" / "good" / "notes.txt", "");
  check_error(training(root), root / "train" / "good", "found none");
  std::filesystem::create_directories(root / "test");
  check_error(test(root), root / "test", "found none");
  std::filesystem::create_directories(root / "test" / "good");
  check_error(test(root), root / "test" / "good", "found none");
}

TEST_CASE("masks that do not fit their images") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  write_image(root / "test" / "bent" / "0.png");
  const auto truth = root / "ground_truth";
  const auto scan = [&] { static_cast<void>(adtr::scan_test(root)); };
  SECTION("for a missing image") {
    write_image(truth / "bent" / "7_mask.png");
    check_stops(scan, ErrorCode::bad_data, truth / "bent" / "7_mask.png", "is the mask of a missing image");
  }
  SECTION("for a missing kind") {
    write_image(truth / "scratch" / "0_mask.png");
    check_stops(scan, ErrorCode::bad_data, truth / "scratch", "holds masks of missing images: expected the folder");
  }
  SECTION("two for one image") {
    write_image(truth / "bent" / "0.png");
    write_image(truth / "bent" / "0_mask.png");
    check_stops(scan, ErrorCode::bad_data, truth / "bent" / "0_mask.png", "a second mask");
  }
  SECTION("one for two images") {
    write_image(root / "test" / "bent" / "0.jpg");
    CHECK(adtr::scan_test(root).size() == 2);  // two images with the same stem are allowed
    write_image(truth / "bent" / "0_mask.png");
    check_stops(scan, ErrorCode::bad_data, truth / "bent" / "0_mask.png",
                "is the mask of two images, " + (root / "test" / "bent" / "0.jpg").string() + " and " +
                    (root / "test" / "bent" / "0.png").string());
  }
  SECTION("of another size") {
    const auto mask = truth / "bent" / "0_mask.png";
    write_image(mask, 5, 6);
    const auto samples = adtr::scan_test(root);
    check_stops([&] { adtr::check_images(samples); }, ErrorCode::shape, mask,
                "the mask has 5x6 pixels, expected 6x5, the size of its image");
    write_image(mask, 6, 5);
    CHECK_NOTHROW(adtr::check_images(samples));
  }
}

TEST_CASE("check_images names the first broken file") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  for (const char* name : {"0.png", "1.png", "2.png", "3.png"}) write_image(root / name);
  const std::string whole = read_file(root / "0.png");
  write_file(root / "3.png", "");
  write_file(root / "2.png", std::string_view(whole).substr(0, whole.size() / 2));
  check_error([&] { adtr::check_images(adtr::scan_training(root)); }, root / "2.png", "truncated PNG");
  write_image(root / "2.png");
  check_error([&] { adtr::check_images(adtr::scan_training(root)); }, root / "3.png", "empty file");
}
