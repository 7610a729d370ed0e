/// The program's verdicts: a missing threshold, an unreadable file or a rounded number never makes a part good.
#include <cmath>

#include "adtr/models/description.hpp"
#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

using Verdicts = std::vector<std::string>;

std::vector<std::string> detecting(const std::string& model, std::vector<std::string> more) {
  more.insert(more.begin(), {"detect", "--model", model});
  return more;
}

/// A model that was trained on `images` good images, with these further options.
Outcome train_on(int images, const TemporaryFolder& folder, const std::vector<std::string>& more = {}) {
  for (int i = 0; i < images; ++i)
    write_picture(folder.file("good/" + std::to_string(100 + i) + ".png"), picture(static_cast<std::uint64_t>(i)));
  auto arguments = Material::get().training(folder.file("model.adtr"), more);
  *(std::find(arguments.begin(), arguments.end(), "--data") + 1) = folder.file("good");
  *(std::find(arguments.begin(), arguments.end(), "--epochs") + 1) = "1";
  return run(arguments);
}

}  // namespace

TEST_CASE("without a threshold every verdict is undecided") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const Outcome trained = train_on(49, folder);
  INFO(trained.err);
  REQUIRE(trained.status == 0);
  CHECK_THAT(trained.out, ContainsSubstring("undecided") && ContainsSubstring("50"));
  const std::string json = folder.file("r.json");
  const Outcome outcome = run(detecting(
      folder.file("model.adtr"), {m.data() + "/test/good/0.png", m.data() + "/test/square/0.png", "--json", json}));
  CHECK(outcome.status == 0);
  CHECK_THAT(sentence(outcome), ContainsSubstring("no threshold") && ContainsSubstring("--threshold"));
  CHECK(outcome.out.find("good  ") == std::string::npos);
  CHECK(json_values(json, "verdict") == Verdicts(2, "\"undecided\""));
  CHECK(json_values(json, "threshold") == Verdicts(2, "null"));

  const Outcome evaluated = run({"evaluate", "--model", folder.file("model.adtr"), "--data", m.data(), "--json", json,
                                 "--report", folder.file("page.html")});
  INFO(evaluated.err);
  CHECK(evaluated.status == 0);
  CHECK(json_values(json, "verdict") == Verdicts(4, "\"undecided\""));
}

TEST_CASE("from 50 good images a fifth is held out for a threshold, and the bound is printed") {
  const TemporaryFolder folder;
  const Outcome trained = train_on(50, folder, {"--json", folder.file("t.json")});
  INFO(trained.err);
  REQUIRE(trained.status == 0);
  CHECK_THAT(trained.out, ContainsSubstring("trained on 40 images") && ContainsSubstring("25.9 %"));
  CHECK(json_values(folder.file("t.json"), "images_held_out") == Verdicts{"10"});
  const auto d = adtr::read_description(adtr::SafetensorsFile::open(folder.file("model.adtr")));
  REQUIRE(d.threshold);
  CHECK(d.notes.at("held_out_images") == "10");
  CHECK(std::stod(d.notes.at("false_alarm_rate_bound")) == Approx(0.2589).margin(1e-3));

  const TemporaryFolder none;
  REQUIRE(train_on(50, none, {"--hold-out", "0"}).status == 0);
  CHECK_FALSE(adtr::read_description(adtr::SafetensorsFile::open(none.file("model.adtr"))).threshold);
}

TEST_CASE("the threshold as printed gives the same verdicts as the model's own") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const double threshold = adtr::read_description(adtr::SafetensorsFile::open(m.model())).threshold.value();
  const Outcome info = run({"info", m.model()});
  const std::size_t at = info.out.find("threshold");
  REQUIRE(at != std::string::npos);
  const std::string printed = info.out.substr(info.out.find_first_not_of(' ', at + 9), 30);
  CHECK(std::stod(printed) == threshold);

  // The held-out image that decided the threshold is good, with the printed threshold too.
  std::vector<std::string> images;
  for (int i = 0; i < 5; ++i) images.push_back(m.data() + "/train/good/" + std::to_string(i) + ".png");
  images.insert(images.end(), {"--json", folder.file("a.json")});
  const Outcome own = run(detecting(m.model(), images));
  images.back() = folder.file("b.json");
  images.insert(images.end(), {"--threshold", printed.substr(0, printed.find_first_of(" \n"))});
  const Outcome given = run(detecting(m.model(), images));
  CHECK(own.out == given.out);
  CHECK(json_values(folder.file("a.json"), "verdict") == json_values(folder.file("b.json"), "verdict"));
  CHECK(json_values(folder.file("a.json"), "threshold_from").front() == "\"model\"");
  CHECK(json_values(folder.file("b.json"), "threshold_from").front() == "\"--threshold\"");

  // And a line's score reads back to the JSON file's.
  const std::string first = own.out.substr(own.out.find_first_of("0123456789"));
  CHECK(std::stod(first) == std::stod(json_values(folder.file("a.json"), "score").front()));
}

TEST_CASE("an unreadable file does not stop the judging of the others") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string good = m.data() + "/test/good/0.png", bad = folder.file("bad.png"), none = folder.file("none.png"),
                    json = folder.file("r.json");
  write_whole(bad, "words");
  const Outcome outcome = run(detecting(m.model(), {bad, good, none, "--json", json, "--maps", folder.file("maps")}));
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  const auto verdicts = json_values(json, "verdict");
  REQUIRE(verdicts.size() == 3);
  CHECK(verdicts[0] == "\"unreadable\"");
  CHECK(verdicts[1] != "\"unreadable\"");
  CHECK(verdicts[2] == "\"unreadable\"");
  CHECK(json_values(json, "score")[0] == "null");
  CHECK(json_values(json, "score")[1] != "null");
  CHECK(json_values(json, "error").size() == 2);
  CHECK_THAT(outcome.err, ContainsSubstring(bad + ": not an image") && ContainsSubstring(none + ": no such file") &&
                              ContainsSubstring("2 of 3 images could not be judged"));
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 3);
  CHECK(std::filesystem::exists(folder.file("maps/0.png")));
  CHECK_FALSE(std::filesystem::exists(folder.file("maps/bad.png")));
}

TEST_CASE("detect accepts a folder, and lists the files in it that are not images") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string json = folder.file("r.json");
  for (int i = 0; i < 3; ++i) write_picture(folder.file("in/" + std::to_string(i) + ".png"), picture(30));
  write_whole(folder.file("in/scan.tif"), std::string("II*\0 a TIFF", 11));
  const Outcome outcome = run(detecting(m.model(), {folder.file("in"), "--json", json}));
  INFO(outcome.err);
  CHECK(json_values(json, "verdict").size() == 3);
  CHECK_THAT(outcome.err, ContainsSubstring("scan.tif"));
}

TEST_CASE("evaluate counts unreadable files, and finds them before the work") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string data = folder.file("data"), json = folder.file("r.json");
  std::filesystem::copy(m.data(), data, std::filesystem::copy_options::recursive);
  write_picture(data + "/test/good/7.png", picture(40));
  const std::string png = read_whole(data + "/test/good/7.png");
  write_whole(data + "/test/good/7.png", png.substr(0, png.size() / 2));
  const Outcome outcome =
      run({"evaluate", "--model", m.model(), "--data", data, "--json", json, "--report", folder.file("page.html")});
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, ContainsSubstring("7.png: truncated PNG"));
  CHECK(json_values(json, "images_good") == Verdicts{"2"});
  CHECK(json_values(json, "images_defective") == Verdicts{"2"});
  const auto verdicts = json_values(json, "verdict");
  CHECK(std::count(verdicts.begin(), verdicts.end(), "\"unreadable\"") == 1);
  CHECK(verdicts.size() == 5);
  CHECK_THAT(outcome.out, ContainsSubstring("1 unreadable"));
  CHECK_THAT(read_whole(folder.file("page.html")), ContainsSubstring("7.png"));
}

TEST_CASE("names that are not UTF-8, or have two lines, stay distinct and one line each") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string json = folder.file("r.json");
  std::vector<std::string> images;
  for (const std::string& name : {std::string("a\xff.png"), std::string("a\xfe.png"), std::string("two\nlines.png"),
                                  std::string("tab\t\"quoted\".png")}) {
    images.push_back(folder.file(name));
    write_picture(images.back(), picture(3));
  }
  images.insert(images.end(), {"--json", json});
  const Outcome outcome = run(detecting(m.model(), images));
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 4);
  CHECK(adtr::find_invalid_utf8(outcome.out) == std::string::npos);
  CHECK(adtr::find_invalid_utf8(read_whole(json)) == std::string::npos);
  const auto files = json_values(json, "file");
  CHECK(std::set<std::string>(files.begin(), files.end()).size() == 4);
}
