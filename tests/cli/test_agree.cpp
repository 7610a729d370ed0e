/// A score has the same bits for every command, process and number of threads.
#include <cmath>

#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

std::vector<std::string> test_images(const std::string& data) {
  return {data + "/test/good/0.png", data + "/test/good/1.png", data + "/test/square/0.png",
          data + "/test/square/1.png"};
}

std::vector<std::string> detecting(const std::vector<std::string>& images, std::vector<std::string> options) {
  std::vector<std::string> arguments{"detect", "--model", Material::get().model()};
  arguments.insert(arguments.end(), images.begin(), images.end());
  arguments.insert(arguments.end(), options.begin(), options.end());
  return arguments;
}

}  // namespace

TEST_CASE("evaluate and detect agree bit for bit") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string all = folder.file("all.json");
  const Outcome evaluated = run({"evaluate", "--model", m.model(), "--data", m.data(), "--json", all, "--maps",
                                 folder.file("maps"), "--report", folder.file("page.html"), "--threads", "1"});
  INFO(evaluated.err);
  REQUIRE(evaluated.status == 0);
  REQUIRE(json_values(all, "score").size() == 4);

  const auto images = test_images(m.data());
  const std::string json = folder.file("some.json");
  REQUIRE(run(detecting(images, {"--json", json, "--threads", "2"})).status == 0);
  CHECK(json_values(json, "score") == json_values(all, "score"));

  for (const std::string kind : {"good", "square"}) {
    const std::string maps = folder.file("maps-" + kind);
    const auto of_kind = kind == "good" ? std::vector(images.begin(), images.begin() + 2)
                                        : std::vector(images.begin() + 2, images.end());
    REQUIRE(run(detecting(of_kind, {"--maps", maps})).status == 0);
    for (const std::string name : {"/0", "/1"}) {
      CHECK(read_whole(maps + name + ".npy") == read_whole(folder.file("maps/" + kind) + name + ".npy"));
      // The colours differ: an evaluation takes its scale from its own images, a detection from the model.
      CHECK(adtr::read_image(maps + name + ".png").height == 32);
      CHECK(adtr::read_image(folder.file("maps/" + kind) + name + ".png").height == 32);
    }
  }

  const std::string npy = read_whole(folder.file("maps/good/0.npy"));
  CHECK(npy.starts_with("\x93NUMPY"));
  CHECK(npy.find("'<f4'") != std::string::npos);
  CHECK(npy.find("(32, 32)") != std::string::npos);
  CHECK(npy.size() % 64 == 0);
  CHECK(adtr::read_image(folder.file("maps/good/0.png")).height == 32);

  const std::string page = read_whole(folder.file("page.html"));
  CHECK(page.find("data:image/png;base64,") != std::string::npos);
  CHECK(page.find("square/0.png") != std::string::npos);
}

TEST_CASE("a saved model gives the same scores in another process as in training") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::vector<std::string> images;
  for (int i = 0; i < 5; ++i) images.push_back(m.data() + "/train/good/" + std::to_string(i) + ".png");
  REQUIRE(run(detecting(images, {"--json", folder.file("r.json")})).status == 0);
  // The threshold is the next number above the highest score that the training process gave the held-out images.
  const double threshold = std::stod(json_values(folder.file("r.json"), "threshold").at(0));
  int found = 0;
  for (const std::string& score : json_values(folder.file("r.json"), "score"))
    found += std::nextafter(std::stod(score), HUGE_VAL) == threshold ? 1 : 0;
  CHECK(found == 1);
}

TEST_CASE("the backends agree") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::map<std::string, std::vector<std::string>> scores;
  for (const std::string backend : {"cpu", "eigen", "reference"}) {
    const std::string json = folder.file(backend);
    REQUIRE(run(detecting(test_images(m.data()), {"--json", json, "--backend", backend})).status == 0);
    scores[backend] = json_values(json, "score");
    REQUIRE(scores[backend].size() == 4);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const double expected = std::stod(scores["reference"][i]);
    CHECK(std::stod(scores["cpu"][i]) == Approx(expected).epsilon(1e-3));
    CHECK(std::stod(scores["eigen"][i]) == Approx(expected).epsilon(1e-3));
  }
}

TEST_CASE("the user's threshold replaces the model's") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string json = folder.file("r.json");
  REQUIRE(run(detecting(test_images(m.data()), {"--json", json, "--threshold", "1e9"})).status == 0);
  CHECK(json_values(json, "verdict") == std::vector<std::string>(4, "\"good\""));
  REQUIRE(run(detecting(test_images(m.data()), {"--json", json, "--threshold", "-1e9"})).status == 0);
  CHECK(json_values(json, "verdict") == std::vector<std::string>(4, "\"anomalous\""));

  TensorFile without = TensorFile::read(m.model());
  without.metadata.erase("threshold");
  without.write(folder.file("without.adtr"));
  const Outcome outcome =
      run({"detect", "--model", folder.file("without.adtr"), m.data() + "/test/good/0.png", "--json", json});
  CHECK(outcome.status == 0);
  CHECK(json_values(json, "verdict") == std::vector<std::string>{"\"undecided\""});
  CHECK(json_values(json, "threshold") == std::vector<std::string>{"null"});
}

TEST_CASE("evaluate reports every figure, and says why one is missing") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string json = folder.file("r.json"), data = folder.file("data");
  const std::vector<std::string> image{"image_auroc", "image_ap", "image_f1_max"};
  const std::vector<std::string> pixel{"pixel_auroc", "pixel_ap", "pixel_f1_max", "aupro"};
  const auto evaluate = [&] {
    const Outcome outcome = run({"evaluate", "--model", m.model(), "--data", data, "--json", json});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome.out;
  };
  const auto missing = [&](const std::vector<std::string>& keys) {
    return std::count_if(keys.begin(), keys.end(),
                         [&](const auto& key) { return json_values(json, key) == std::vector<std::string>{"null"}; });
  };
  std::filesystem::copy(m.data(), data, std::filesystem::copy_options::recursive);

  CHECK(evaluate().find("not available") == std::string::npos);
  CHECK(missing(image) == 0);
  CHECK(missing(pixel) == 0);
  CHECK(json_values(json, "resolution") == std::vector<std::string>{"32"});
  CHECK(json_values(json, "images_good") == std::vector<std::string>{"2"});
  CHECK(json_values(json, "images_defective") == std::vector<std::string>{"2"});
  CHECK(std::stod(json_values(json, "seconds_per_image").at(0)) > 0.0);

  std::filesystem::remove_all(data + "/ground_truth");
  CHECK(evaluate().find("2 of 2 have none") != std::string::npos);
  CHECK(missing(image) == 0);
  CHECK(missing(pixel) == 4);

  std::filesystem::remove_all(data + "/test/square");
  CHECK(evaluate().find("defective images; the test set has none") != std::string::npos);
  CHECK(missing(image) == 3);
  CHECK(missing(pixel) == 4);
}
