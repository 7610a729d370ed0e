/// Area pooling and the memory bank, from the program's options to scores.
#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

/// The rows and columns of a tensor of a model file; empty if there is none.
std::vector<std::size_t> shape_in(const std::string& model, const std::string& name) {
  const TensorFile file = TensorFile::read(model);
  const auto found = file.tensors.find(name);
  return found == file.tensors.end() ? std::vector<std::size_t>{} : found->second.shape;
}

const std::vector<std::string> with_bank{"--pooling", "area", "--bank", "30"};

std::vector<std::string> evaluation(const std::string& model, std::vector<std::string> more = {}) {
  std::vector<std::string> a{"evaluate", "--model", model, "--data", Material::get().data(), "--threads", "1"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

}  // namespace

TEST_CASE("a model with a bank is the same for any number of threads, and scores by every method") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string one = folder.file("one.adtr"), four = folder.file("four.adtr");
  REQUIRE(run(m.training(one, with_bank)).status == 0);
  auto more_threads = m.training(four, with_bank);
  *(std::find(more_threads.begin(), more_threads.end(), "--threads") + 1) = "4";
  REQUIRE(run(more_threads).status == 0);
  CHECK(read_whole(one) == read_whole(four));
  CHECK(shape_in(one, "bank.tokens") == std::vector<std::size_t>{30, 128});
  const TensorFile file = TensorFile::read(one);
  CHECK(file.metadata.at("pooling") == "area");
  CHECK(file.metadata.at("scoring") == "fused");
  CHECK(file.metadata.at("note.bank_tokens") == "30");

  const Outcome all = run(evaluation(one, {"--scoring", "all"}));
  REQUIRE(all.status == 0);
  for (const char* method : {"fused", "norm", "taps", "residual", "bank"})
    CHECK_THAT(all.out, ContainsSubstring("\n" + std::string(method) + " "));
  const Outcome info = run({"info", one});
  CHECK_THAT(info.out, ContainsSubstring("30 tokens of 128 numbers"));
}

TEST_CASE("training that continues from a model with a bank keeps its axes and chooses its tokens anew") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string first = folder.file("first.adtr"), second = folder.file("second.adtr");
  REQUIRE(run(m.training(first, with_bank)).status == 0);
  const auto start = [&](const std::string& bank) {
    return std::vector<std::string>{"train",    "--data", m.data(),  "--start", first,    "--out", second,
                                    "--epochs", "1",      "--batch", "2",       "--bank", bank};
  };
  REQUIRE(run(start("50")).status == 0);
  CHECK(shape_in(second, "bank.tokens") == std::vector<std::size_t>{50, 128});
  CHECK(TensorFile::read(second).tensors.at("bank.axes").values ==
        TensorFile::read(first).tensors.at("bank.axes").values);
  CHECK(TensorFile::read(second).metadata.at("pooling") == "area");
  std::filesystem::remove(second);
  REQUIRE(run(start("0")).status == 0);  // the default: the model keeps its bank
  CHECK(shape_in(second, "bank.tokens") == std::vector<std::size_t>{30, 128});
  CHECK(TensorFile::read(second).metadata.at("scoring") == "fused");
}

TEST_CASE("training that continues from a model without a bank gives it one when asked") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string out = folder.file("more.adtr");
  const auto start = [&](std::vector<std::string> more) {
    std::vector<std::string> a{"train", "--data", m.data(), "--start", m.model(), "--out", out, "--hold-out", "0"};
    a.insert(a.end(), {"--epochs", "1", "--batch", "2"});
    a.insert(a.end(), more.begin(), more.end());
    return run(a);
  };
  REQUIRE(start({}).status == 0);
  CHECK(shape_in(out, "bank.tokens").empty());
  CHECK(TensorFile::read(out).metadata.at("scoring") == "taps");
  REQUIRE(start({"--bank", "20"}).status == 0);
  CHECK(shape_in(out, "bank.tokens") == std::vector<std::size_t>{20, 128});
  CHECK(TensorFile::read(out).metadata.at("scoring") == "fused");
}

TEST_CASE("a scoring method that a model lacks is an error with its name") {
  const Material& m = Material::get();
  const Outcome outcome = run(evaluation(m.model(), {"--scoring", "bank"}));
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, ContainsSubstring("--scoring bank") && ContainsSubstring(m.model()));
  CHECK(run(evaluation(m.model(), {"--scoring", "unknown"})).status == 2);
  const Outcome residual = run(evaluation(m.model(), {"--scoring", "residual"}));
  CHECK(residual.status == 0);
  CHECK_THAT(residual.out, ContainsSubstring("threshold      none"));
}
