/// Links, permissions and entries other than files, at every place of a data set, are reported with the right cause,
/// its code and one sentence. Nothing is skipped silently.
#include <sys/stat.h>

#include "folder_support.hpp"

using namespace test_data;

namespace {

/// A data set of two kinds with masks, in a folder that another user may enter.
struct Linked {
  TemporaryFolder folder;
  std::filesystem::path root = folder.path() / "data";
  Linked() {
    for (const char* name : {"train/good/0.png", "train/good/1.png", "test/good/0.png", "test/good/1.png",
                             "test/bent/0.png", "test/bent/1.png"})
      write_image(root / name);
    for (const char* name : {"ground_truth/bent/0_mask.png", "ground_truth/bent/1_mask.png"})
      write_mask(root / name, true);
  }
  ~Linked() {
    std::error_code ignored;
    for (const auto& path : locked_) std::filesystem::permissions(path, std::filesystem::perms::owner_all, ignored);
  }
  void lock(const std::filesystem::path& path, mode_t mode) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    locked_.push_back(path);
  }
  void make_link(const std::filesystem::path& path, const std::filesystem::path& target) const {
    std::filesystem::remove_all(path);
    std::filesystem::create_symlink(target, path);
  }
  void scan() const {
    static_cast<void>(adtr::scan_training(root));
    static_cast<void>(adtr::scan_test(root));
  }

 private:
  std::vector<std::filesystem::path> locked_;
};

/// Every place of the layout that a run needs.
const Names places{"",
                   "train",
                   "train/good",
                   "train/good/0.png",
                   "test",
                   "test/good",
                   "test/good/0.png",
                   "test/bent",
                   "test/bent/1.png",
                   "ground_truth",
                   "ground_truth/bent",
                   "ground_truth/bent/0_mask.png"};

bool is_file(const std::string& place) { return place.ends_with(".png"); }

std::filesystem::path place_of(const Linked& data, const std::string& place) {
  return place.empty() ? data.root : data.root / place;
}

/// Checks that the two scans leave out one thing.
void check_left_out(const Linked& data, const std::string& reason, const std::filesystem::path& example) {
  auto left = adtr::scan_test(data.root).left_out;
  for (const auto& more : adtr::scan_training(data.root).left_out) left.push_back(more);
  REQUIRE(left.size() == 1);
  CHECK(left[0].reason == reason);
  CHECK(left[0].example == example);
}

}  // namespace

TEST_CASE("a link that leads nowhere, in every place") {
  for (const std::string& place : places) {
    INFO("place: " << place);
    const Linked data;
    data.make_link(place_of(data, place), "gone");
    check_stops([&] { data.scan(); }, ErrorCode::file_missing, place_of(data, place),
                "a link to gone, which does not exist");
  }
}

TEST_CASE("a loop of links, in every place") {
  for (const std::string& place : places) {
    INFO("place: " << place);
    const Linked data;
    const auto path = place_of(data, place);
    data.make_link(path, "other");
    std::filesystem::create_symlink(path, path.parent_path() / "other");
    check_stops([&] { data.scan(); }, ErrorCode::file_unreadable, path, "the links lead back to where they began");
  }
}

TEST_CASE("a valid link is followed, in every place") {
  for (const std::string& place : places) {
    INFO("place: " << place);
    const Linked data;
    const auto path = place_of(data, place), moved = data.folder.path() / "moved";
    const auto train = names(adtr::scan_training(data.root)), test = names(adtr::scan_test(data.root));
    std::filesystem::rename(path, moved);
    std::filesystem::create_symlink(moved, path);
    CHECK(names(adtr::scan_training(data.root)) == train);
    const auto set = adtr::scan_test(data.root);
    CHECK(names(set) == test);
    CHECK(set.left_out.empty());
    CHECK(set[0].mask == data.root / "ground_truth/bent/0_mask.png");
    CHECK_NOTHROW(adtr::check_images(set));
  }
}

TEST_CASE("a file instead of a folder, and a folder or a pipe instead of a file, in every place") {
  for (const std::string& place : places) {
    INFO("place: " << place);
    const Linked data;
    const auto path = place_of(data, place);
    std::filesystem::remove_all(path);
    if (is_file(place)) {
      REQUIRE(::mkfifo(path.c_str(), 0644) == 0);
      check_stops([&] { data.scan(); }, ErrorCode::file_unreadable, path, "expected an image, found a pipe");
      std::filesystem::remove(path);
      std::filesystem::create_directory(path);
      if (place == "test/bent/1.png") std::filesystem::remove(data.root / "ground_truth/bent/1_mask.png");
      check_left_out(data, "folder without images", path);
    } else if (place == "test/good" || place == "test/bent" || place == "ground_truth/bent") {
      write_file(path, "words");
      if (place == "test/bent") {
        check_stops([&] { data.scan(); }, ErrorCode::bad_data, data.root / "ground_truth/bent", "missing images");
        std::filesystem::remove_all(data.root / "ground_truth");
      }
      check_left_out(data, "file that is not an image", path);
    } else {
      write_file(path, "words");
      check_stops([&] { data.scan(); }, ErrorCode::file_unreadable, path, "expected a folder, found a file");
    }
  }
}

TEST_CASE("a folder that may not be listed or entered, in every place") {
  for (const std::string& place : places) {
    if (is_file(place)) continue;
    for (const mode_t mode : {0000U, 0111U, 0444U}) {
      INFO("place: " << place << ", mode " << mode);
      Linked data;
      data.lock(place_of(data, place), mode);
      const std::string said = as_nobody([&] {
        data.scan();
        return std::string("no error");
      });
      INFO(said);
      CHECK(said.starts_with("file_unreadable: " + place_of(data, place).string()));
      CHECK_THAT(said, ContainsSubstring("permission denied"));
      CHECK(said.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("links into a folder that may not be entered") {
  for (const std::string& place : places) {
    INFO("place: " << place);
    Linked data;
    const auto forbidden = data.folder.path() / "forbidden";
    std::filesystem::create_directory(forbidden);
    std::filesystem::rename(place_of(data, place), forbidden / "x");
    std::filesystem::create_symlink(forbidden / "x", place_of(data, place));
    data.lock(forbidden, 0000);
    CHECK(as_nobody([&] {
            data.scan();
            return std::string("no error");
          }) == "file_unreadable: " + place_of(data, place).string() + ": cannot be read: it is a link to " +
                    (forbidden / "x").string() +
                    ", and a folder on the way there may not be entered (permission denied)");
  }
}

TEST_CASE("a sub-folder that cannot be listed is listed") {
  Linked data;
  const auto more = data.root / "train" / "good" / "more";
  write_image(more / "7.png");
  data.lock(more, 0000);
  CHECK(as_nobody([&] { return adtr::describe(adtr::scan_training(data.root).left_out); }) ==
        "left out: 1 folder that cannot be listed (more)");
}

TEST_CASE("an image that may not be opened is kept, and reading it names it") {
  Linked data;
  const auto image = data.root / "test" / "good" / "1.png";
  data.lock(image, 0000);
  CHECK(as_nobody([&] { return std::to_string(adtr::scan_test(data.root).size()); }) == "4");
  const std::string said = as_nobody([&] {
    adtr::check_images(adtr::scan_test(data.root));
    return std::string("no error");
  });
  CHECK(said.find(image.string() + ": cannot be read: it may not be read (permission denied)") != std::string::npos);
}

TEST_CASE("links back to a folder above do not trap a scan, and are not images") {
  for (const char* target : {".", "..", "../..", "../../train"}) {
    const Linked data;
    std::filesystem::create_symlink(target, data.root / "train" / "good" / "loop");
    const auto set = adtr::scan_training(data.root);
    CHECK(set.size() == 2);
    CHECK(adtr::describe(set.left_out) == "left out: 1 link back to a folder above (loop)");
  }
}

TEST_CASE("dangling links that are not named like images are listed") {
  const Linked data;
  std::filesystem::create_symlink("gone", data.root / "train" / "good" / "latest");
  CHECK(adtr::describe(adtr::scan_training(data.root).left_out) ==
        "left out: 1 link or file that cannot be reached (latest)");
  std::filesystem::create_symlink("gone", data.root / "unrelated");
  CHECK_NOTHROW(adtr::scan_test(data.root));
  // A link in `test` may be a kind of defects whose disk is not mounted.
  std::filesystem::create_symlink("gone", data.root / "test" / "scratch");
  check_stops([&] { data.scan(); }, ErrorCode::file_missing, data.root / "test" / "scratch", "a link to gone");
}

TEST_CASE("an empty path and one that is too long") {
  for (const auto& scan : {+[](const std::filesystem::path& p) { static_cast<void>(adtr::scan_training(p)); },
                           +[](const std::filesystem::path& p) { static_cast<void>(adtr::scan_test(p)); },
                           +[](const std::filesystem::path& p) { static_cast<void>(adtr::scan_defects(p)); },
                           +[](const std::filesystem::path& p) { static_cast<void>(adtr::list_images_of(p)); }}) {
    try {
      scan("");
      FAIL("no error");
    } catch (const adtr::Error& error) {
      CHECK(error.code() == ErrorCode::option);
      CHECK(error.what() == std::string("expected the name of a folder, found an empty one"));
    }
    const std::string name(300, 'n');
    check_stops([&] { scan(name); }, ErrorCode::file_unreadable, name, "its name is too long for the file system");
    check_stops([&] { scan("/dev/null/x"); }, ErrorCode::file_unreadable, "/dev/null/x",
                "/dev/null is a device, expected a folder");
    check_stops([&] { scan("/dev/null"); }, ErrorCode::file_unreadable, "/dev/null",
                "expected a folder, found a device");
  }
}
