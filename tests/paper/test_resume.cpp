/// Tests adtr_paper: it is killed and started again, and it names bad input.
#include <chrono>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "adtr/core/random.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

using Json = nlohmann::json;

/// CIFAR's binary files with made-up pictures: two classes for training and testing, and CIFAR-100.
void write_cifar(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto record = [](std::uint64_t seed, bool defective, const std::string& label) {
    const adtr::Image image = picture(seed, defective, 32);
    std::string bytes = label;
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < 1024; ++i) bytes += static_cast<char>(image.data[3 * i + c]);
    return bytes;
  };
  const auto write = [&](const char* name, std::uint64_t seed, int count, const std::string& good, bool defects) {
    std::ofstream file(folder / name, std::ios::binary);
    for (int i = 0; i < count; ++i) {
      const bool other = defects && i % 2 == 1;
      file << record(seed + static_cast<std::uint64_t>(i), other, other ? std::string(good.size(), '\x03') : good);
    }
  };
  write("data_batch_1.bin", 0, 24, "\x01", false);
  write("test_batch.bin", 100, 40, "\x01", true);
  write("train.bin", 200, 30, "\x02\x05", true);
}

std::vector<std::string> arguments(const TemporaryFolder& folder, const std::string& out) {
  return {"cifar",
          "--data",
          folder.file("cifar"),
          "--cifar100",
          folder.file("cifar"),
          "--class",
          "automobile",
          "--out",
          folder.file(out),
          "--backbone",
          folder.file("lite0"),
          "--epochs",
          "5",
          "--batch",
          "8",
          "--epochs-plus",
          "3",
          "--seeds",
          "0",
          "1",
          "--threads",
          "1",
          "--checkpoint-seconds",
          "0",
          "--curve",
          "4",
          "--jitter",
          "0.2"};
}

/// The rows without the measured times.
Json rows_of(const TemporaryFolder& folder, const std::string& out) {
  Json rows = Json::parse(std::ifstream(folder.file(out) + "/results.json"));
  for (Json& row : rows)
    for (const char* name : {"seconds_features", "seconds_training", "resumed"}) row.erase(name);
  return rows;
}

std::map<std::string, std::string> models_of(const TemporaryFolder& folder, const std::string& out) {
  std::map<std::string, std::string> models;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file(out)))
    if (entry.path().extension() == ".adtr")
      models[entry.path().filename().string()] = read_whole(entry.path().string());
  return models;
}

}  // namespace

TEST_CASE("an experiment that is killed three times ends with the bits of an uninterrupted one") {
  const TemporaryFolder folder;
  write_cifar(folder.file("cifar"));
  random_backbone().write(folder.file("lite0"));
  const auto begin = std::chrono::steady_clock::now();
  const Outcome straight = run(arguments(folder, "straight"));
  INFO(straight.err);
  REQUIRE(straight.status == 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  adtr::RandomStream random(static_cast<std::uint64_t>(begin.time_since_epoch().count()), 0);
  int killed = 0;
  for (int round = 0; round < 3; ++round) {
    Process process(arguments(folder, "killed"));
    const double wait = seconds * (0.05 + 0.4 * random.uniform());
    std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    process.kill();
    if (process.wait().status == -SIGKILL) ++killed;
    UNSCOPED_INFO("killed after " << wait << " s of " << seconds);
  }
  CHECK(killed > 0);  // at least the first round is killed before the run ends
  REQUIRE(run(arguments(folder, "killed")).status == 0);
  const Json rows = rows_of(folder, "straight");
  REQUIRE(rows.size() == 4);
  for (const Json& row : rows) {
    CHECK(row["state"] == "done");
    CHECK(row["settings"]["jitter"] == "0.2");  // in both stages
    CHECK(row["figures"].contains("image_auroc"));
    CHECK(row["figures"].contains("image_auroc_mean"));
  }
  CHECK(rows[0]["curve"].size() == 1);
  CHECK(rows_of(folder, "killed") == rows);
  CHECK(models_of(folder, "killed") == models_of(folder, "straight"));

  SECTION("and finished cells are kept") {
    const auto models = models_of(folder, "straight");
    const auto written = std::filesystem::last_write_time(folder.file("straight") + "/" + models.begin()->first);
    REQUIRE(run(arguments(folder, "straight")).status == 0);
    CHECK(std::filesystem::last_write_time(folder.file("straight") + "/" + models.begin()->first) == written);
    CHECK(rows_of(folder, "straight") == rows);
    const std::string table = read_whole(folder.file("straight") + "/results.md");
    CHECK(table.find("| automobile | ADTR+ | efficientnet_lite0 | fast, 3, 8 | 0, 1 |") != std::string::npos);

    auto other = arguments(folder, "straight");
    other.insert(other.end(), {"--learning-rate", "0.001"});
    const Outcome outcome = run(other);
    CHECK(outcome.status == 1);
    CHECK(outcome.err.find("has other settings: learning-rate is ") != std::string::npos);
    CHECK(rows_of(folder, "straight") == rows);
    other = arguments(folder, "straight");
    other[12] = "1";  // epochs
    REQUIRE(run(other).status == 0);
    CHECK(rows_of(folder, "straight").size() == 8);  // in addition to the others
  }
}

TEST_CASE("adtr_paper names unusable input") {
  const TemporaryFolder folder;
  write_cifar(folder.file("cifar"));
  random_backbone().write(folder.file("lite0"));
  auto a = arguments(folder, "out");
  a[6] = "tank";
  Outcome outcome = run(a);
  CHECK(outcome.status == 1);
  CHECK(outcome.err.find("'tank' is not a class of CIFAR-10") != std::string::npos);
  std::ofstream(folder.file("out") + "/results.json") << "{}";
  outcome = run(arguments(folder, "out"));
  CHECK(outcome.status == 1);
  CHECK(outcome.err.find("results.json: is not a result file of adtr_paper") != std::string::npos);
  CHECK(read_whole(folder.file("out") + "/results.json") == "{}");
}
