/// Labels that contradict each other: the folder decides, and no contradiction is silent.
#include "adtr/data/labels.hpp"

#include "adtr/data/decode.hpp"
#include "folder_support.hpp"

using namespace test_data;

namespace {

/// Two good test images, one with a defect, and its mask.
struct Labelled {
  TemporaryFolder folder;
  std::filesystem::path root = folder.path(), test = root / "test", truth = root / "ground_truth";
  Labelled() {
    write_image(test / "good" / "0.png");
    write_image(test / "good" / "1.png");
    write_image(test / "bent" / "0.png");
    write_mask(truth / "bent" / "0_mask.png", true);
  }
  [[nodiscard]] auto scan() const {
    return [this] { static_cast<void>(adtr::scan_test(root)); };
  }
};

/// Checks that the set lists one contradiction, about `path`, with the words.
void check_allowed(const adtr::SampleSet& set, const std::filesystem::path& path, std::string_view words) {
  REQUIRE(set.allowed.size() == 1);
  INFO(set.allowed[0]);
  CHECK(set.allowed[0].starts_with(path.string() + ": "));
  CHECK(set.allowed[0].find(words) != std::string::npos);
}

/// Writes a mask whose defect is only in the alpha channel: red, green and blue are 0.
void write_alpha_mask(const std::filesystem::path& path) {
  std::vector<std::uint8_t> pixels(6 * 5 * 4, 0);
  for (std::size_t i = 3; i < 40; i += 4) pixels[i] = 255;
  int size = 0;
  const adtr::detail::Decoded<std::uint8_t> png(adtr::stb::stbi_write_png_to_mem(pixels.data(), 20, 5, 6, 4, &size));
  write_file(path, {reinterpret_cast<const char*>(png.get()), static_cast<std::size_t>(size)});
}

}  // namespace

TEST_CASE("a mask without a defect for a defective image") {
  const Labelled data;
  const auto mask = data.truth / "bent" / "0_mask.png", image = data.test / "bent" / "0.png";
  write_mask(mask, false);
  const std::string words = "it marks no pixel, but its image " + image.string() + " lies in a folder of defects";
  auto set = adtr::scan_test(data.root);
  check_stops([&] { adtr::check_labels(set); }, ErrorCode::bad_data, mask, words);
  check_stops([&] { adtr::check_images(set); }, ErrorCode::bad_data, mask, words);
  adtr::check_labels(set, allow);
  check_allowed(set, mask, words);
  CHECK(set[0].defective);
  CHECK(!set[0].mask);
  CHECK_NOTHROW(adtr::check_images(set));

  const auto defects = adtr::scan_defects(data.root, allow);
  check_allowed(defects, mask, words);
  CHECK(defects.size() == 1);
  CHECK(!defects[0].mask);
}

TEST_CASE("a mask with its defect in the alpha channel is refused, even with allow") {
  const Labelled data;
  const auto mask = data.truth / "bent" / "0_mask.png";
  write_alpha_mask(mask);
  auto set = adtr::scan_test(data.root, allow);
  check_stops([&] { adtr::check_labels(set); }, ErrorCode::bad_data, mask, "alpha channel");
  check_stops([&] { adtr::check_images(set); }, ErrorCode::bad_data, mask, "alpha channel");
}

TEST_CASE("a mask with a defect for a good image") {
  const Labelled data;
  const auto mask = write_mask(data.truth / "good" / "1_mask.png", true);
  const std::string image = (data.test / "good" / "1.png").string();
  auto set = adtr::scan_test(data.root);
  check_stops([&] { adtr::check_labels(set); }, ErrorCode::bad_data, mask, "it marks a defect in " + image);
  check_stops([&] { adtr::check_images(set); }, ErrorCode::bad_data, mask, image);
  set = adtr::scan_test(data.root, allow);
  adtr::check_labels(set);  // the scan's `allow` holds
  check_allowed(set, mask, "the image counts as good");
  CHECK(!set[2].defective);
  CHECK(!set[2].mask);

  write_mask(mask, false);  // agrees with the folder
  set = adtr::scan_test(data.root);
  CHECK_NOTHROW(adtr::check_labels(set));
  CHECK(set[2].mask == mask);
}

TEST_CASE("masks are read before anything else, and one that cannot be read is named") {
  const Labelled data;
  const auto mask = write_file(data.truth / "bent" / "0_mask.png", "words");
  auto set = adtr::scan_test(data.root, allow);
  check_error([&] { adtr::check_labels(set); }, mask, "not an image");
}

TEST_CASE("a kind of defects whose name says good") {
  for (const char* name : {"Good", "GOOD", "OK", "ok", "normal", "Normal", "gut", "pass", "Defect-free", "i.O."}) {
    INFO(name);
    const Labelled data;
    const auto folder = data.test / name;
    write_image(folder / "7.png");
    check_stops(data.scan(), ErrorCode::bad_data, folder,
                "its name says that its 1 image is good, but only a folder that is called good holds good images; move "
                "them to " +
                    (data.test / "good").string());
    check_stops([&] { static_cast<void>(adtr::scan_defects(data.root)); }, ErrorCode::bad_data, folder, "good");
    const auto set = adtr::scan_test(data.root, allow);
    check_allowed(set, folder, "its images count as defective");
    CHECK(std::count_if(set.begin(), set.end(), [](const auto& s) { return s.defective; }) == 2);

    std::filesystem::remove_all(data.test / "good");
    check_stops(data.scan(), ErrorCode::bad_data, folder, "rename it to " + (data.test / "good").string());
  }
  const Labelled data;
  for (const char* name : {"not_good", "goodyear", "broken", "nok", "abnormal", "no"})
    write_image(data.test / name / "1.png");
  CHECK(adtr::scan_test(data.root).size() == 9);
}

TEST_CASE("a training folder with another spelling of good") {
  const TemporaryFolder folder;
  const auto train = folder.path() / "train";
  write_image(train / "Good" / "0.png");
  const auto scan = [&] { static_cast<void>(adtr::scan_training(folder.path())); };
  check_stops(scan, ErrorCode::file_missing, train / "good",
              "no such folder, but " + (train / "Good").string() + " exists; rename that folder to good");
  write_image(train / "good" / "1.png");
  check_stops(scan, ErrorCode::bad_data, train / "Good", "but there is also " + (train / "good").string());
  const auto set = adtr::scan_training(folder.path(), allow);
  CHECK(names(set) == Names{"good/1.png"});
  check_allowed(set, train / "Good", "it is left out");
  REQUIRE(set.left_out.size() == 1);
  CHECK(set.left_out[0].images == 1);
}

TEST_CASE("one image with two labels, as a copy, hard link or link") {
  using Put = void (*)(const std::filesystem::path&, const std::filesystem::path&);
  const Put puts[]{[](const auto& from, const auto& to) { std::filesystem::copy_file(from, to); },
                   [](const auto& from, const auto& to) { std::filesystem::create_hard_link(from, to); },
                   [](const auto& from, const auto& to) { std::filesystem::create_symlink(from, to); }};
  const Put put = puts[GENERATE(0, 1, 2)];
  const Labelled data;
  const auto good = data.test / "good" / "1.png", bent = data.test / "bent" / "9.png";
  const auto learned = write_image(data.root / "train" / "good" / "0.png");
  CHECK_NOTHROW(adtr::scan_test(data.root));
  SECTION("good and defective") {
    put(good, bent);
    check_stops(data.scan(), ErrorCode::bad_data, bent, "the same image as " + good.string());
    const auto set = adtr::scan_test(data.root, allow);
    check_allowed(set, bent, "each with the label of its folder");
    CHECK(names(set) == Names{"bent/0.png", "bent/9.png", "good/0.png", "good/1.png"});
    CHECK(adtr::scan_training(data.root).size() == 1);
  }
  SECTION("in training and test") {
    put(learned, data.test / "good" / "9.png");
    check_stops(data.scan(), ErrorCode::bad_data, data.test / "good" / "9.png",
                "the same image as " + learned.string());
    check_allowed(adtr::scan_test(data.root, allow), data.test / "good" / "9.png", "it may have been trained on");
  }
  SECTION("in training as good and as defective") {
    put(learned, bent);
    const auto train = [&] { static_cast<void>(adtr::scan_training(data.root)); };
    check_stops(train, ErrorCode::bad_data, bent, "the same image as " + learned.string());
    check_allowed(adtr::scan_training(data.root, allow), bent, "the same image");
    check_stops(data.scan(), ErrorCode::bad_data, bent, "the same image as " + learned.string());
  }
  SECTION("of two kinds of defects, which is no contradiction") {
    std::filesystem::create_directory(data.test / "scratch");
    put(data.test / "bent" / "0.png", data.test / "scratch" / "0.png");
    CHECK(adtr::scan_test(data.root).size() == 4);
  }
}

TEST_CASE("training images and defects of another folder must differ") {
  const TemporaryFolder one;
  const Labelled other;
  const auto image = write_image(one.path() / "0.png");
  const auto bent = other.test / "bent" / "5.png";
  const auto good = adtr::scan_training(one.path());
  CHECK_NOTHROW(adtr::check_distinct(good, adtr::scan_defects(other.root)));
  std::filesystem::copy_file(image, bent);
  const auto defects = adtr::scan_defects(other.root);
  check_stops([&] { adtr::check_distinct(good, defects); }, ErrorCode::bad_data, bent,
              "the same image as " + image.string());
  CHECK_NOTHROW(adtr::check_distinct(adtr::scan_training(one.path(), allow), defects));
}

TEST_CASE("files of one size differ by any byte") {
  const TemporaryFolder folder;
  const std::string bytes(20000, 'x');
  const auto file = [&](const char* name, std::size_t at) {
    std::string changed = bytes;
    if (at < changed.size()) changed[at] = 'y';
    return write_file(folder.path() / name, changed);
  };
  const std::vector<std::filesystem::path> a{file("a0", 0), file("a1", 20000), write_file(folder.path() / "a2", "")};
  const std::vector<std::filesystem::path> b{
      file("b0", 10000),      file("b1", 19999), write_file(folder.path() / "b2", ""),
      folder.path() / "none", file("b4", 20000), file("b5", 0)};
  using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
  CHECK(adtr::detail::same_files(a, b) == Pairs{{1, 4}, {0, 5}});
}

TEST_CASE("masks of missing images stop a scan, or are listed with allow") {
  const Labelled data;
  SECTION("of an existing kind") {
    const auto mask = write_mask(data.truth / "bent" / "8_mask.png", true);
    check_stops(data.scan(), ErrorCode::bad_data, mask, "is the mask of a missing image");
    check_allowed(adtr::scan_test(data.root, allow), mask, "the mask is not used");
  }
  SECTION("of a missing kind") {
    write_mask(data.truth / "Bent" / "0_mask.png", true);
    check_stops(data.scan(), ErrorCode::bad_data, data.truth / "Bent", (data.test / "Bent").string());
    check_allowed(adtr::scan_test(data.root, allow), data.truth / "Bent", "not used");
  }
}
