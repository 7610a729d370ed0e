/// Training with anomalies: from the program's options to the model file.
#include <chrono>
#include <thread>

#include "adtr/models/description.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

/// A second stage from the material's model.
std::vector<std::string> second_stage(const Material& m, const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> a{"train", "--data", m.data(), "--start", m.model(), "--out", out};
  a.insert(a.end(), {"--epochs", "2", "--batch", "2", "--threads", "1"});
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

std::map<std::string, std::string> notes(const std::string& model) {
  return adtr::read_description(adtr::SafetensorsFile::open(model)).notes;
}

}  // namespace

TEST_CASE("training continues with confetti, with defects, or with both") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string out = folder.file("plus.adtr");
  struct Case {
    std::vector<std::string> options;
    std::string anomalies, loss;
  };
  for (const Case& c :
       {Case{{"--anomalies", "confetti"}, "confetti", "pixel"}, Case{{"--defects", m.data()}, "defects", "pixel"},
        Case{{"--defects", m.data(), "--loss", "image"}, "defects", "image"},
        Case{{"--anomalies", "confetti", "--defects", m.data()}, "confetti, defects", "pixel"}}) {
    const Outcome outcome = run(second_stage(m, out, c.options));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const auto n = notes(out);
    CHECK(n.at("anomalies") == c.anomalies);
    CHECK(n.at("loss") == c.loss);
    CHECK(n.at("epochs") == "2");
    CHECK(n.at("learning-rate") == "4e-04");
    CHECK(n.at("start.loss") == "norm");
    CHECK(n.at("start.learning-rate") == "0.004");
    CHECK((n.contains("training_defects") ? n.at("training_defects") : "0") == (c.anomalies == "confetti" ? "0" : "2"));

    const auto before = TensorFile::read(m.model()), after = TensorFile::read(out);
    CHECK(after.metadata.at("image_size") == "32");
    CHECK(after.metadata.at("scoring") == before.metadata.at("scoring"));
    const auto same = [&](const std::string& name) {
      return before.tensors.at(name).values == after.tensors.at(name).values;
    };
    for (const char* name : {"feature_mean", "feature_std", "backbone.conv_stem.weight"}) CHECK(same(name));
    for (const char* name : {"query_embed", "output_proj.weight", "score_mean"}) CHECK_FALSE(same(name));
    const Outcome detected = run({"detect", "--model", out, m.data() + "/test/good/0.png"});
    CHECK(detected.status == 0);
  }
}

TEST_CASE("a second stage with a tiny learning rate keeps the model") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string out = folder.file("same.adtr");
  const Outcome outcome =
      run(second_stage(m, out, {"--learning-rate", "1e-30", "--anomalies", "confetti", "--hold-out", "0.4"}));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto before = TensorFile::read(m.model()), after = TensorFile::read(out);
  for (const auto& [name, tensor] : before.tensors) {
    INFO(name);
    CHECK(tensor.values == after.tensors.at(name).values);
  }
  CHECK(before.metadata.at("threshold") == after.metadata.at("threshold"));
}

TEST_CASE("training with confetti gives the same file for any number of threads, also from the first epoch") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const auto train = [&](const std::string& name, const std::string& threads, const std::string& seed) {
    auto arguments = m.training(folder.file(name), {"--anomalies", "confetti", "--seed", seed});
    *(std::find(arguments.begin(), arguments.end(), "--threads") + 1) = threads;
    REQUIRE(run(arguments).status == 0);
    return read_whole(folder.file(name));
  };
  const std::string one = train("one.adtr", "1", "0");
  CHECK(train("two.adtr", "2", "0") == one);
  CHECK(train("seed.adtr", "1", "1") != one);
  const auto n = notes(folder.file("one.adtr"));
  CHECK(n.at("learning-rate") == "0.004");
  CHECK_FALSE(n.contains("start.loss"));
}

TEST_CASE("a killed second stage resumes with the same bits, and only with the same anomalies") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const auto arguments = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.end(), {"--checkpoint-seconds", "0", "--defects", m.data()});
    auto a = second_stage(m, folder.file(name), more);
    *(std::find(a.begin(), a.end(), "--epochs") + 1) = "6";
    return a;
  };
  REQUIRE(run(arguments("straight.adtr", {"--anomalies", "confetti"})).status == 0);
  Process process(arguments("killed.adtr", {"--anomalies", "confetti"}));
  while (!std::filesystem::exists(folder.file("killed.adtr.checkpoint")) && process.running())
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.kill();
  REQUIRE(process.wait().status == -SIGKILL);
  const Outcome other = run(arguments("killed.adtr", {"--resume"}));
  CHECK(other.status == 1);
  CHECK_THAT(other.err, ContainsSubstring("was made with confetti (--anomalies confetti), this run trains without it"));
  REQUIRE(run(arguments("killed.adtr", {"--resume", "--anomalies", "confetti"})).status == 0);
  CHECK(read_whole(folder.file("killed.adtr")) == read_whole(folder.file("straight.adtr")));
}

TEST_CASE("unsuitable anomalies are refused with one sentence") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string out = folder.file("m.adtr");
  const auto refused = [&](std::vector<std::string> options, const std::string& text) {
    const Outcome outcome = run(m.training(out, std::move(options)));
    CHECK(outcome.status == 1);
    CHECK_THAT(sentence(outcome), ContainsSubstring(text));
  };
  refused({"--loss", "pixel"}, "expected confetti or defects, found neither");
  refused({"--defects", folder.file("none")}, "no such folder");
  write_picture(folder.file("labels/test/good/0.png"), picture(1));
  refused({"--defects", folder.file("labels")}, "found only good ones");
  write_picture(folder.file("labels/test/bad/0.png"), picture(1, true));
  refused({"--defects", folder.file("labels"), "--loss", "pixel"}, "bad/0.png: has no mask");
  const Outcome image = run(m.training(out, {"--defects", folder.file("labels")}));
  REQUIRE(image.status == 0);
  CHECK(notes(out).at("loss") == "image");
  const Outcome both = run(m.training(out, {"--start", m.model()}));
  CHECK(both.status == 2);
  REQUIRE(run(second_stage(m, out, {})).status == 0);  // without anomalies, training continues with good images
  CHECK(notes(out).at("loss") == "norm");
  const Outcome none =
      run({"train", "--data", m.data(), "--start", m.weights(), "--out", out, "--anomalies", "confetti"});
  CHECK(none.status == 1);
  CHECK_THAT(sentence(none), ContainsSubstring("is not a model"));
}
