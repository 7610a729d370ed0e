/// CIFAR's binary files: made byte by byte, and the real ones if they are available.
#include "adtr/data/cifar.hpp"

#include <cstdlib>
#include <iostream>
#include <set>

#include "support.hpp"

using namespace test_data;

namespace {

/// Record number i of a class: byte j of its planes is (i + 3j) mod 256.
std::string record(int label, int i, std::size_t label_bytes = 1) {
  std::string bytes = label_bytes == 2 ? std::string(1, '\x13') : std::string();
  bytes += static_cast<char>(label);
  for (int j = 0; j < 3072; ++j) bytes += static_cast<char>((i + 3 * j) % 256);
  return bytes;
}

std::vector<std::string> paths_of(const std::vector<adtr::Sample>& samples) {
  std::vector<std::string> result;
  for (const auto& sample : samples)
    result.push_back(sample.kind + " " + sample.path.parent_path().filename().string() + "/" +
                     sample.path.filename().string());
  return result;
}

}  // namespace

TEST_CASE("CIFAR-10: training images of one class from all batches, planes interleaved") {
  const TemporaryFolder folder;
  write_file(folder.path() / "data_batch_2.bin", record(7, 0) + record(1, 1));
  write_file(folder.path() / "data_batch_1.bin", record(1, 2) + record(3, 3) + record(1, 4));
  write_file(folder.path() / "batches.meta.txt", "airplane\n");
  const auto samples = adtr::cifar10_training(folder.path(), "automobile");
  CHECK(paths_of(samples) ==
        std::vector<std::string>{"good data_batch_1.bin/0", "good data_batch_1.bin/2", "good data_batch_2.bin/1"});
  const adtr::Image image = adtr::read_image(samples[1]);
  REQUIRE((image.height == 32 && image.width == 32));
  for (const auto& [y, x, c] : {std::array<Index, 3>{0, 0, 0}, {0, 5, 1}, {31, 2, 2}, {31, 31, 0}})
    CHECK(image.row(y)[3 * x + c] == (4 + 3 * (1024 * c + 32 * y + x)) % 256);
}

TEST_CASE("CIFAR-10: the test set is the class and an equal number of others, drawn by the seed") {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += record(i % 10, i);
  write_file(folder.path() / "test_batch.bin", bytes);
  const auto samples = adtr::cifar10_test(folder.path(), "horse", 0);
  REQUIRE(samples.size() == 8);
  std::set<std::string> files;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK(samples[i].defective == (i >= 4));
    CHECK((samples[i].kind == "good") == (i < 4));
    CHECK(samples[i].kind != "horse");
    files.insert(samples[i].path.string());
  }
  CHECK(files.size() == 8);
  CHECK(paths_of(adtr::cifar10_test(folder.path(), "horse", 0)) == paths_of(samples));
  CHECK(paths_of(adtr::cifar10_test(folder.path(), "horse", 1)) != paths_of(samples));
}

TEST_CASE("CIFAR-100: anomalies drawn by the seed, two label bytes") {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += record(i, i, 2);
  write_file(folder.path() / "train.bin", bytes);
  const auto samples = adtr::cifar100_anomalies(folder.path(), 5, 3);
  REQUIRE(samples.size() == 5);
  for (const auto& sample : samples) {
    CHECK(sample.defective);
    CHECK(adtr::read_image(sample).data[0] == std::stoi(sample.path.filename().string()));
  }
  CHECK(paths_of(adtr::cifar100_anomalies(folder.path(), 5, 3)) == paths_of(samples));
  CHECK(paths_of(adtr::cifar100_anomalies(folder.path(), 5, 4)) != paths_of(samples));
}

TEST_CASE("CIFAR: unsuitable files are named") {
  const TemporaryFolder folder;
  const auto& root = folder.path();
  CHECK_THROWS_WITH(adtr::cifar10_label("tank"), ContainsSubstring("'tank'") && ContainsSubstring("truck"));
  check_error([&] { return adtr::cifar10_training(root / "none", "cat"); }, root / "none", "no such folder");
  write_file(root / "data_batch_1.bin", record(1, 0));
  check_error([&] { return adtr::cifar10_training(root, "cat"); }, root, "class cat");
  check_error([&] { return adtr::cifar10_test(root, "cat", 0); }, root / "test_batch.bin", "no such file");
  write_file(root / "test_batch.bin", record(3, 0).substr(1));
  check_error([&] { return adtr::cifar10_test(root, "cat", 0); }, root / "test_batch.bin", "3073 bytes, found 3072");
  write_file(root / "test_batch.bin", record(3, 0) + record(12, 1));
  check_error([&] { return adtr::cifar10_test(root, "cat", 0); }, root / "test_batch.bin",
              "label from 0 to 9, found 12");
  write_file(root / "test_batch.bin", record(3, 0));
  check_error([&] { return adtr::cifar10_test(root, "cat", 0); }, root / "test_batch.bin", "found 1 and 0");
  write_file(root / "train.bin", record(3, 0, 2));
  check_error([&] { return adtr::cifar100_anomalies(root, 2, 0); }, root / "train.bin", "at least 2 images, found 1");
}

TEST_CASE("CIFAR-10: the means of the real test set") {
  const char* shared = std::getenv("ADTR_SHARED");
  const std::filesystem::path folder =
      (shared != nullptr ? std::filesystem::path(shared) : std::filesystem::path(ADTR_SOURCE_DIR) / ".." / "shared") /
      "data" / "cifar" / "cifar-10-batches-bin";
  if (!std::filesystem::exists(folder)) {
    std::cout << "skipped: no " << folder << "\n";
    return;
  }
  const auto samples = adtr::cifar10_test(folder, "horse", 0);
  CHECK(samples.size() == 2000);
  std::array<double, 3> sum{};
  double images = 0.0;
  adtr::detail::each_cifar_record(folder / "test_batch.bin", 1, [&](std::size_t, int, const std::uint8_t* planes) {
    for (std::size_t i = 0; i < 3072; ++i) sum[i / 1024] += planes[i];
    images += 1.0;
  });
  CHECK(images == 10000);
  const std::array<double, 3> expected{0.4942, 0.4851, 0.4504};  // the data set's well-known means
  for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(sum[c] / (images * 1024 * 255) - expected[c]) < 1e-4);
}
