/// Training runs that are killed, run out of room, or are run twice.
#include <sys/wait.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "adtr/data/folder.hpp"
#include "adtr/models/description.hpp"
#include "adtr/report/heat_map.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

TEST_CASE("a killed and resumed run gives the bits of an uninterrupted one") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string straight = folder.file("straight.adtr"), killed = folder.file("killed.adtr");
  const std::string checkpoint = killed + ".checkpoint";
  const std::vector<std::string> options{"--epochs", "6", "--checkpoint-seconds", "0", "--dropout", "0.1"};
  const auto arguments = [&](const std::string& out, std::vector<std::string> more = {}) {
    more.insert(more.begin(), options.begin(), options.end());
    auto a = m.training(out, more);
    a.erase(std::find(a.begin(), a.end(), "--epochs"), std::find(a.begin(), a.end(), "--batch"));  // once only
    return a;
  };

  REQUIRE(run(arguments(straight)).status == 0);
  CHECK_FALSE(std::filesystem::exists(straight + ".checkpoint"));

  Process process(arguments(killed));
  while (!std::filesystem::exists(checkpoint) && process.running())
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.kill();
  REQUIRE(process.wait().status == -SIGKILL);
  REQUIRE(std::filesystem::exists(checkpoint));
  REQUIRE_FALSE(std::filesystem::exists(killed));

  // A checkpoint is lost neither by accident nor by another run.
  const std::string before = read_whole(checkpoint);
  const Outcome fresh = run(arguments(killed));
  CHECK(fresh.status == 1);
  CHECK(sentence(fresh).starts_with(checkpoint + ": "));
  CHECK(sentence(fresh).find("--resume") != std::string::npos);
  const Outcome other = run(arguments(killed, {"--resume", "--seed", "5"}));
  CHECK(other.status == 1);
  CHECK_THAT(other.err, ContainsSubstring(checkpoint + ": ") && ContainsSubstring("--seed 0, this run has 5"));
  CHECK(read_whole(checkpoint) == before);

  const Outcome resumed = run(arguments(killed, {"--resume"}));
  INFO(resumed.err);
  REQUIRE(resumed.status == 0);
  CHECK(resumed.err.find("epoch 1/6") == std::string::npos);
  CHECK(read_whole(killed) == read_whole(straight));
  CHECK_FALSE(std::filesystem::exists(checkpoint));
}

TEST_CASE("the same seed gives the same file for any number of threads") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const auto train = [&](const std::string& name, const std::string& threads, const std::string& seed) {
    auto arguments = m.training(folder.file(name), {"--hold-out", "0.4", "--seed", seed});
    *(std::find(arguments.begin(), arguments.end(), "--threads") + 1) = threads;
    REQUIRE(run(arguments).status == 0);
    return read_whole(folder.file(name));
  };
  const std::string one = read_whole(m.model());  // one thread, seed 0
  CHECK(train("two.adtr", "2", "0") == one);
  CHECK(train("seed.adtr", "2", "1") != one);
}

TEST_CASE("a model's colours are those of the images that were held out") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string model = folder.file("model.adtr");
  REQUIRE(run(m.training(model, {"--hold-out", "0.2"})).status == 0);  // one of five
  std::vector<std::string> detect{"detect", "--model", model, "--maps", folder.file("maps")};
  for (int i = 0; i < 5; ++i) detect.push_back(m.data() + "/train/good/" + std::to_string(i) + ".png");
  REQUIRE(run(detect).status == 0);
  const auto description = adtr::read_description(adtr::SafetensorsFile::open(model));
  int fits = 0;
  for (int i = 0; i < 5; ++i) {
    const std::string npy = read_whole(folder.file("maps/" + std::to_string(i) + ".npy"));
    constexpr std::size_t size = 32 * 32;
    std::vector<float> map(size), sixteenth;
    std::memcpy(map.data(), npy.data() + npy.size() - size * sizeof(float), size * sizeof(float));
    for (std::size_t pixel = 0; pixel < size; pixel += 16) sixteenth.push_back(map[pixel]);
    const adtr::HeatScale scale = adtr::heat_scale(sixteenth);
    if (description.colour_low == static_cast<double>(scale.low) &&
        description.colour_high == static_cast<double>(scale.high))
      ++fits;
  }
  CHECK(fits == 1);
}

TEST_CASE("a full disk leaves an earlier model unchanged") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string out = folder.file("model.adtr");
  m.put_earlier(out);
  const Surroundings limit{.largest_file = 1 << 20};

  const Outcome model = run(m.training(out), limit);
  INFO(model.err);
  CHECK(model.status == 1);
  CHECK_THAT(model.err,
             ContainsSubstring("adtr: " + out + ": cannot be written: ") && ContainsSubstring("File too large"));

  const Outcome checkpoint = run(m.training(out, {"--checkpoint-seconds", "0"}), limit);
  CHECK(checkpoint.status == 1);
  CHECK_THAT(checkpoint.err, ContainsSubstring("adtr: " + out + ".checkpoint: cannot be written: ") &&
                                 ContainsSubstring("File too large"));

  CHECK(m.is_earlier(out));
  CHECK(folder.names() == std::vector<std::string>{"model.adtr"});
}

TEST_CASE("an output that cannot be written is named before the first epoch") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("folder"));
  for (const std::string& out : {folder.file("none/model.adtr"), folder.file("folder")}) {
    const Outcome outcome = run(m.training(out));
    CHECK(outcome.status == 1);
    CHECK(sentence(outcome).starts_with(out + ": cannot be written: "));
    const Outcome json = run(m.training(folder.file("m.adtr"), {"--json", out}));
    CHECK(json.status == 1);
    CHECK(sentence(json).starts_with(out + ": cannot be written: "));
  }
  const Outcome full = run({"detect", "--model", m.model(), m.data() + "/test/good/0.png", "--json", "/dev/full"});
  CHECK(full.status == 1);
  CHECK(sentence(full) == "/dev/full: cannot be written: No space left on device");
}

TEST_CASE("--mirror trains like files of the mirror images") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  int files = 0;
  for (const adtr::Sample& sample : adtr::scan_training(m.data()))
    for (const adtr::Mirror mirror : adtr::mirrors)
      write_picture(folder.file("data") + "/train/good/" + std::to_string(100 + files++) + ".png",
                    mirrored(adtr::read_image(sample), mirror));
  const auto train = [&](const std::string& data, const std::string& out, std::vector<std::string> more) {
    auto arguments = m.training(folder.file(out), more);
    *(std::find(arguments.begin(), arguments.end(), "--data") + 1) = data;
    const Outcome outcome = run(arguments);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.out.find("trained on " + std::to_string(files) + " images") != std::string::npos);
    return TensorFile::read(folder.file(out));
  };
  const TensorFile mirror = train(m.data(), "mirror.adtr", {"--mirror"}),
                   whole = train(folder.file("data"), "files.adtr", {});
  for (const auto& [name, tensor] : whole.tensors) {
    INFO(name);
    CHECK(mirror.tensors.at(name).values == tensor.values);
  }
  for (const char* key : {"colour_low", "colour_high", "note.final_loss", "note.training_images"})
    CHECK(mirror.metadata.at(key) == whole.metadata.at(key));
}
