/// Bad images, masks and folders give status 1 and one sentence that names the file.
#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

/// Checks a failure of adtr: its status, and that its sentence contains `file` and `what`.
void check_fails(const std::vector<std::string>& arguments, const std::string& file, const std::string& what) {
  const Outcome outcome = run(arguments);
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  const std::string said = sentence(outcome);
  CHECK(said.starts_with(file + ": "));
  CHECK(said.find(what) != std::string::npos);
}

/// Bytes that are not an image, with a name and the expected message.
const std::map<std::string, std::pair<std::string, std::string>>& broken_images() {
  static const auto broken = [] {
    TemporaryFolder folder;
    write_picture(folder.file("whole.png"), picture(1));
    const std::string png = read_whole(folder.file("whole.png"));
    std::string damaged = png;
    for (std::size_t i = 60; i < 90; ++i) damaged[i] = static_cast<char>(~damaged[i]);
    return std::map<std::string, std::pair<std::string, std::string>>{
        {"text.png", {"these are words", "not an image"}},
        {"empty.png", {"", "empty file (0 bytes)"}},
        {"truncated.png", {png.substr(0, png.size() / 2), "truncated PNG"}},
        {"damaged.png", {damaged, "damaged PNG"}},
    };
  }();
  return broken;
}

}  // namespace

TEST_CASE("detect names an image that cannot be read") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  for (const auto& [name, content] : broken_images()) {
    const std::string path = folder.file(name);
    write_whole(path, content.first);
    check_fails({"detect", "--model", m.model(), path}, path, content.second);
  }
  check_fails({"detect", "--model", m.model(), folder.file("none.png")}, folder.file("none.png"), "no such file");
  std::filesystem::create_directory(folder.file("empty"));
  check_fails({"detect", "--model", m.model(), folder.file("empty")}, folder.file("empty"), "expected images");
}

TEST_CASE("detect accepts images of any size") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  adtr::Image dot(1, 1), line(1, 20000), column(20000, 1);
  for (adtr::Image* image : {&dot, &line, &column}) std::fill(image->data.begin(), image->data.end(), std::uint8_t{90});
  write_picture(folder.file("dot.png"), dot);
  write_picture(folder.file("line.png"), line);
  write_picture(folder.file("column.png"), column);
  const Outcome outcome = run({"detect", "--model", m.model(), folder.file("dot.png"), folder.file("line.png"),
                               folder.file("column.png"), "--json", folder.file("out.json")});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 3);
  for (const std::string& score : json_values(folder.file("out.json"), "score")) CHECK(score != "null");
}

TEST_CASE("detect keeps an earlier result when it cannot begin") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string good = m.data() + "/test/good/0.png", json = folder.file("r.json"), none = folder.file("no.adtr");
  REQUIRE(run({"detect", "--model", m.model(), good, "--json", json}).status == 0);
  const std::string earlier = read_whole(json);
  check_fails({"detect", "--model", none, good, "--json", json}, none, "no such file");
  CHECK(read_whole(json) == earlier);
}

TEST_CASE("training names a broken image before it begins, and keeps an earlier model") {
  const Material& m = Material::get();
  for (const auto& [name, content] : broken_images()) {
    const TemporaryFolder folder;
    std::filesystem::copy(m.data() + "/train/good", folder.file("good"));
    const std::string broken = folder.file("good/" + name), out = folder.file("model.adtr");
    write_whole(broken, content.first);
    m.put_earlier(out);
    auto arguments = m.training(out);
    arguments[2] = folder.file("good");
    check_fails(arguments, broken, content.second);  // one line on stderr: no epoch was reported
    CHECK(m.is_earlier(out));
    CHECK(folder.names() == std::vector<std::string>{"good", "model.adtr"});
  }
}

TEST_CASE("folders without images are named") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("test/good"));
  std::filesystem::create_directories(folder.file("empty"));
  auto training = m.training(folder.file("m.adtr"));
  training[2] = folder.file("empty");
  check_fails(training, folder.file("empty"), "expected images");
  training[2] = folder.file("none");
  check_fails(training, folder.file("none"), "no such folder");
  check_fails({"evaluate", "--model", m.model(), "--data", folder.path()}, folder.file("test/good"), "expected images");
  check_fails({"evaluate", "--model", m.model(), "--data", folder.file("empty")}, folder.file("empty/test"),
              "no such folder");
}

TEST_CASE("masks that do not fit their images are named") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::filesystem::copy(m.data(), folder.file("data"), std::filesystem::copy_options::recursive);
  const std::vector<std::string> evaluate{"evaluate", "--model", m.model(), "--data", folder.file("data")};

  const std::string orphan = folder.file("data/ground_truth/square/9_mask.png");
  write_picture(orphan, square_mask());
  check_fails(evaluate, orphan, "missing image");
  std::filesystem::remove(orphan);

  const std::string mask = folder.file("data/ground_truth/square/1_mask.png");
  write_picture(mask, square_mask(30));
  check_fails(evaluate, mask, "mask has 30x30 pixels, expected 40x40");
  write_whole(mask, "words");
  check_fails(evaluate, mask, "not an image");
}

TEST_CASE("two images whose maps would have the same name are refused") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  write_picture(folder.file("a/part.png"), picture(1));
  write_picture(folder.file("b/part.png"), picture(2));
  check_fails({"detect", "--model", m.model(), folder.file("a/part.png"), folder.file("b/part.png"), "--maps",
               folder.file("maps")},
              folder.file("b/part.png"), folder.file("a/part.png"));
  CHECK_FALSE(std::filesystem::exists(folder.file("maps")));
}
