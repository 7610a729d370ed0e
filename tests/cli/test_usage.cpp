/// Wrong usage gives status 2 and one sentence, and does nothing.
#include "adtr/train/training_request.hpp"
#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

TEST_CASE("wrong usage exits with 2 and one sentence") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "expected a command"},
      {{"paint"}, "paint"},
      {{"train", "--data", "x", "--out", "y"}, "--backbone"},
      {{"detect", "--model", "x"}, "images"},
      {{"detect", "--model", "x", "--speed", "y", "z"}, "--speed"},
      {{"evaluate", "--model", "x", "--data", "y", "--backend", "gpu"}, "--backend"},
      {{"evaluate", "--model", "x", "--data", "y", "--precision", "tf32"},
       "--precision: expected with --backend cuda alone, found --backend cpu"},
      {{"detect", "--model", "x", "y", "--precision", "float32", "--backend", "eigen"}, "found --backend eigen"},
      {{"detect", "--model", "x", "y", "--precision", "half"}, "--precision"},
      {{"evaluate", "--model", "x", "--data", "y", "--threads", "-1"}, "--threads"},
      {{"detect", "--model", "x", "y", "--threshold", "nan"}, "--threshold"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--recipe", "slow"}, "--recipe"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--epochs", "0"}, "--epochs"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--batch", "two"}, "--batch"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--learning-rate", "nan"}, "--learning-rate"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--dropout", "1"}, "--dropout"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--hold-out", "1"}, "--hold-out"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--false-alarm-rate", "-0.1"}, "--false-alarm-rate"},
      {{"train", "--data", "x", "--backbone", "y", "--out", "z", "--seed", "-1"}, "--seed"},
  };
  for (const auto& [arguments, named] : cases) {
    const Outcome outcome = run(arguments);
    INFO(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(sentence(outcome).find(named) != std::string::npos);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("help goes to stdout and is a success") {
  for (const char* command : {"train", "evaluate", "detect", "info"}) {
    const Outcome outcome = run({command, "--help"});
    CHECK(outcome.status == 0);
    CHECK(outcome.out.find("--threads") != std::string::npos);
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("help shows the library's defaults") {
  const std::string help = run({"train", "--help"}).out;
  const adtr::TrainingRequest r;
  const adtr::TrainingOptions fast = adtr::training_options(adtr::Recipe::fast),
                              paper = adtr::training_options(adtr::Recipe::paper),
                              fast_start = adtr::second_stage_options(adtr::Recipe::fast),
                              paper_start = adtr::second_stage_options(adtr::Recipe::paper);
  const auto n = [](adtr::Index value) { return std::to_string(value); };
  for (const std::string& part : {"[fast " + n(fast.epochs) + ", paper " + n(paper.epochs) + "; with --start " +
                                      n(fast_start.epochs) + ", " + n(paper_start.epochs) + "]",
                                  "[" + n(fast.batch) + "]", "]=" + n(fast.top_k) + "\n", "]=" + n(r.image_size) + "\n",
                                  "]=" + n(r.grid) + "\n", "=" + std::to_string(r.cache_memory >> 20) + "\n"}) {
    INFO(part);
    CHECK(help.find(part) != std::string::npos);
  }
}

TEST_CASE("the recipe decides what is not given, wherever it stands") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string json = folder.file("r.json");
  const std::vector<std::vector<std::string>> orders{{"--jitter", "0.25", "--recipe", "paper", "--json", json},
                                                     {"--recipe", "paper", "--json", json, "--jitter", "0.25"}};
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const Outcome outcome = run(m.training(folder.file("m" + std::to_string(i)), orders[i]));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    for (const auto& [key, value] :
         {std::pair("recipe", "\"paper\""), std::pair("jitter", "0.25"), std::pair("dropout", "0.1"),
          std::pair("epochs", "2"), std::pair("loss", "\"norm\"")})
      CHECK(json_values(json, key) == std::vector<std::string>{value});
  }
}

TEST_CASE("info shows what a file contains") {
  const Material& m = Material::get();
  const Outcome weights = run({"info", m.weights()});
  CHECK(weights.status == 0);
  CHECK(weights.out.find("efficientnet_lite0") != std::string::npos);
  const Outcome model = run({"info", m.model(), "--tensors"});
  CHECK(model.status == 0);
  for (const char* part : {"efficientnet_lite0", "image 32x32, grid 8x8", "pooling ", "format_version", "note.recipe",
                           "pos_embed", "[64, 256]", "backbone.conv_stem.weight"}) {
    INFO(part);
    CHECK(model.out.find(part) != std::string::npos);
  }
  const Outcome missing = run({"info", m.file("no.adtr")});
  CHECK(missing.status == 1);
  CHECK(sentence(missing).starts_with(m.file("no.adtr") + ": "));
}
