/// Interrupted commands keep and report what was done, and the exit status shows the signal.
#include <chrono>
#include <thread>

#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Many images, so that a command is still running when a signal arrives.
std::string many_images(const TemporaryFolder& folder, int count) {
  for (int i = 0; i < count; ++i)
    write_picture(folder.file("many/" + std::to_string(1000 + i) + ".png"),
                  picture(static_cast<std::uint64_t>(i), false, 300));
  return folder.file("many");
}

}  // namespace

TEST_CASE("an interrupted training leaves a checkpoint, and resumes to the bits of an uninterrupted one") {
  const Material& m = Material::get();
  for (const int signal : {SIGINT, SIGTERM}) {
    const TemporaryFolder folder;
    const auto arguments = [&](const std::string& name, std::vector<std::string> more = {}) {
      auto a = m.training(folder.file(name), {"--dropout", "0.1", "--hold-out", "0.2"});
      *(std::find(a.begin(), a.end(), "--epochs") + 1) = "12";
      a.insert(a.end(), more.begin(), more.end());
      return a;
    };
    const std::string out = folder.file("stopped.adtr"), checkpoint = out + ".checkpoint";
    Process process(arguments("stopped.adtr"));
    // There is no checkpoint yet, because the default is one every thirty seconds.
    for (int i = 0; i < 1000 && process.running() && lines(process.err()) < 4; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(process.running());
    CHECK_FALSE(std::filesystem::exists(checkpoint));
    process.kill(signal);
    const Outcome outcome = process.wait();
    INFO(outcome.err);
    CHECK(outcome.status == 128 + signal);
    CHECK_THAT(outcome.err, ContainsSubstring(checkpoint) && ContainsSubstring("--resume"));
    CHECK(folder.names() == std::vector<std::string>{"stopped.adtr.checkpoint"});

    REQUIRE(run(arguments("stopped.adtr", {"--resume"})).status == 0);
    REQUIRE(run(arguments("straight.adtr")).status == 0);
    CHECK(read_whole(out) == read_whole(folder.file("straight.adtr")));
  }
}

TEST_CASE("an interrupted detection keeps the results of the images that were judged") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const std::string images = many_images(folder, 400), json = folder.file("r.json");
  Process process({"detect", "--model", m.model(), images, "--json", json, "--threads", "1"});
  for (int i = 0; i < 1000 && process.running() && lines(process.out()) < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.kill(SIGINT);
  const Outcome outcome = process.wait();
  INFO(outcome.err);
  CHECK(outcome.status == 130);
  const std::size_t judged = lines(outcome.out);
  CHECK(judged < 400);
  CHECK_THAT(sentence(outcome),
             ContainsSubstring(std::to_string(judged) + " of 400 images were judged") && ContainsSubstring(json));
  const std::string results = read_whole(json);
  std::size_t items = 0;
  for (std::size_t at = results.find("\"verdict\""); at != std::string::npos; at = results.find("\"verdict\"", at + 1))
    ++items;
  CHECK(items == judged);
  CHECK(results.ends_with("]\n"));
}

TEST_CASE("an interrupted evaluation writes no figures for a part of the set") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("data/test"));
  std::filesystem::rename(many_images(folder, 400), folder.file("data/test/good"));
  Process process({"evaluate", "--model", m.model(), "--data", folder.file("data"), "--json", folder.file("r.json"),
                   "--maps", folder.file("maps"), "--threads", "1"});
  for (int i = 0; i < 2000 && process.running() && !std::filesystem::exists(folder.file("maps/good/1001.npy")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.kill(SIGTERM);
  const Outcome outcome = process.wait();
  INFO(outcome.err);
  CHECK(outcome.status == 143);
  CHECK_THAT(sentence(outcome), ContainsSubstring("interrupted"));
  CHECK_FALSE(std::filesystem::exists(folder.file("r.json")));
  // The next run may overwrite the output of this one.
  const Outcome again =
      run({"evaluate", "--model", m.model(), "--data", folder.file("data"), "--maps", folder.file("maps")});
  INFO(again.err);
  CHECK(again.status == 0);
}
