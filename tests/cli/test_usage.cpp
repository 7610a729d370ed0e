/// Wrong usage gives status 2 and one sentence, and does nothing.
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

TEST_CASE("info shows what a file contains") {
  const Material& m = Material::get();
  const Outcome weights = run({"info", m.weights()});
  CHECK(weights.status == 0);
  CHECK(weights.out.find("efficientnet_lite0") != std::string::npos);
  const Outcome model = run({"info", m.model(), "--tensors"});
  CHECK(model.status == 0);
  for (const char* part : {"efficientnet_lite0", "image 32x32, grid 8x8", "format_version", "note.recipe", "pos_embed",
                           "[64, 256]", "backbone.conv_stem.weight"}) {
    INFO(part);
    CHECK(model.out.find(part) != std::string::npos);
  }
  const Outcome missing = run({"info", m.file("no.adtr")});
  CHECK(missing.status == 1);
  CHECK(sentence(missing).starts_with(m.file("no.adtr") + ": "));
}
