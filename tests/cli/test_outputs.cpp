/// No command overwrites a file that it reads, or a file of another kind. Tests every output option with every
/// input, by its own name and by other names.
#include <unistd.h>

#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

/// A copy of the material that a test may damage, and its content.
class Copy {
 public:
  Copy() {
    const Material& m = Material::get();
    fs::copy(m.data(), folder_.file("data"), fs::copy_options::recursive);
    fs::copy(m.weights(), weights());
    fs::copy(m.model(), model());
    fs::create_directory_symlink(folder_.path(), folder_.file("link"));
    contents_ = contents();
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string data() const { return file("data"); }
  [[nodiscard]] std::string weights() const { return file("weights.safetensors"); }
  [[nodiscard]] std::string model() const { return file("model.adtr"); }

  /// Every file with its bytes.
  [[nodiscard]] std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
      if (entry.is_regular_file()) all[entry.path().string()] = read_whole(entry.path().string());
    return all;
  }
  void check_untouched() const { CHECK(contents() == contents_); }
  /// Call after a change that the test itself made.
  void take_note() { contents_ = contents(); }

 private:
  TemporaryFolder folder_;
  std::map<std::string, std::string> contents_;
};

/// Other names of the same file.
std::vector<std::string> names_of(const Copy& copy, const std::string& path) {
  const std::string relative = fs::relative(path, copy.file("")).string();
  return {path, copy.file("./data/../" + relative), copy.file("link/" + relative), fs::relative(path).string()};
}

/// Checks that a command is refused before it begins, with one sentence that names both files.
void check_refused(const Copy& copy, const std::vector<std::string>& arguments, const std::string& output) {
  const Outcome outcome = run(arguments);
  std::string line;
  for (const std::string& a : arguments) line += a + ' ';
  INFO(line);
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(sentence(outcome), ContainsSubstring(output));
  copy.check_untouched();
}

std::vector<std::string> training(const Copy& copy, const std::string& out) {
  return {"train",
          "--data",
          copy.data(),
          "--backbone",
          copy.weights(),
          "--out",
          out,
          "--image-size",
          "32",
          "--grid",
          "8",
          "--epochs",
          "1",
          "--batch",
          "2",
          "--threads",
          "1"};
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("no output replaces an input, by any name") {
  Copy copy;
  const std::string good = copy.data() + "/test/good/0.png", defect = copy.data() + "/test/square/1.png",
                    mask = copy.data() + "/ground_truth/square/1_mask.png", trained = copy.data() + "/train/good/3.png";
  const std::vector<std::string> detect{"detect", "--model", copy.model(), good, defect};
  const std::vector<std::string> evaluate{"evaluate", "--model", copy.model(), "--data", copy.data()};
  for (const std::string& input : {copy.model(), good, defect})
    for (const std::string& name : names_of(copy, input)) check_refused(copy, with(detect, {"--json", name}), name);
  for (const std::string& input : {copy.model(), good, defect, mask})
    for (const std::string& name : names_of(copy, input)) {
      check_refused(copy, with(evaluate, {"--json", name}), name);
      check_refused(copy, with(evaluate, {"--report", name}), name);
    }
  for (const std::string& input : {copy.weights(), trained})
    for (const std::string& name : names_of(copy, input)) {
      check_refused(copy, training(copy, name), name);
      check_refused(copy, with(training(copy, copy.file("new.adtr")), {"--json", name}), name);
    }
  for (const std::string& name : names_of(copy, copy.model()))
    check_refused(
        copy, {"train", "--data", copy.data(), "--start", copy.model(), "--out", name, "--epochs", "1", "--batch", "2"},
        name);
}

TEST_CASE("heat maps replace no photograph and are written to no input folder") {
  Copy copy;
  const std::string good = copy.data() + "/test/good", square = copy.data() + "/test/square";
  for (const std::string& folder : names_of(copy, good))
    check_refused(copy, {"detect", "--model", copy.model(), good + "/0.png", good + "/1.png", "--maps", folder},
                  "0.png");
  const std::vector<std::string> evaluate{"evaluate", "--model", copy.model(), "--data", copy.data(), "--maps"};
  for (const std::string& folder : names_of(copy, copy.data() + "/test"))
    check_refused(copy, with(evaluate, {folder}), "0.png");
  check_refused(copy, with(evaluate, {copy.data() + "/ground_truth"}), "--maps");
  check_refused(copy, {"detect", "--model", copy.model(), square, "--maps", square}, "--maps");
}

TEST_CASE("a link or a hard link to an input counts as that input") {
  Copy copy;
  const std::string image = copy.data() + "/test/good/0.png";
  fs::create_symlink(image, copy.file("soft.json"));
  fs::create_hard_link(image, copy.file("hard.json"));
  fs::create_symlink(copy.file("soft.json"), copy.file("softer.json"));
  copy.take_note();
  for (const char* name : {"soft.json", "hard.json", "softer.json"})
    check_refused(copy, {"detect", "--model", copy.model(), image, "--json", copy.file(name)}, name);
}

TEST_CASE("two outputs are never the same file") {
  Copy copy;
  const std::string out = copy.file("out"), image = copy.data() + "/test/good/0.png";
  check_refused(copy, with(training(copy, out), {"--json", out}), out);
  check_refused(copy, with(training(copy, out), {"--json", out + ".checkpoint"}), out);
  const std::vector<std::string> evaluate{"evaluate", "--model", copy.model(), "--data", copy.data()};
  check_refused(copy, with(evaluate, {"--json", out, "--report", copy.file("./data/../out")}), "out");
  check_refused(copy, {"detect", "--model", copy.model(), image, "--maps", out, "--json", out + "/0.png"}, "0.png");
  fs::create_symlink(out, copy.file("dangling"));
  check_refused(copy, with(evaluate, {"--json", out, "--report", copy.file("dangling")}), "dangling");
}

TEST_CASE("an existing file is replaced only by one of the same kind") {
  Copy copy;
  const std::string image = copy.data() + "/test/good/0.png", json = copy.file("r.json"), page = copy.file("p.html"),
                    maps = copy.file("maps"), model = copy.file("new.adtr");
  const std::vector<std::string> detect{"detect", "--model", copy.model(), image};
  const std::vector<std::string> evaluate{"evaluate", "--model",  copy.model(), "--data", copy.data(), "--json",
                                          json,       "--report", page,         "--maps", maps};
  // Each file is written, and then replaced by the next run.
  for (int i = 0; i < 2; ++i) {
    INFO(i);
    for (const auto& arguments :
         {training(copy, model), evaluate, with(detect, {"--json", copy.file("d.json"), "--maps", copy.file("m")}),
          with(training(copy, model), {"--json", copy.file("t.json")})}) {
      const Outcome outcome = run(arguments);
      INFO(outcome.err);
      CHECK(outcome.status == 0);
    }
  }
  // An empty file, such as from mktemp, may be replaced.
  write_whole(copy.file("empty.json"), "");
  CHECK(run(with(detect, {"--json", copy.file("empty.json")})).status == 0);

  // A file of another program.
  write_whole(copy.file("package.json"), R"({"name": "not adtr's", "version": "1.0.0"})");
  write_whole(copy.file("notes.txt"), "what I saw today");
  write_whole(copy.file("index.html"), "<!doctype html><title>My page</title>");
  write_picture(copy.file("photographs/0.png"), picture(5));

  copy.take_note();
  for (const char* name : {"package.json", "notes.txt", "index.html", "photographs/0.png", "model.adtr"}) {
    check_refused(copy, with(detect, {"--json", copy.file(name)}), name);
    if (std::string(name) == "model.adtr") continue;
    check_refused(copy, training(copy, copy.file(name)), name);
    check_refused(copy, {"evaluate", "--model", copy.model(), "--data", copy.data(), "--report", copy.file(name)},
                  name);
  }
  check_refused(copy, with(detect, {"--maps", copy.file("photographs")}), "0.png");
  check_refused(copy, training(copy, json), "r.json");
  check_refused(copy, training(copy, page), "p.html");
  check_refused(copy, with(detect, {"--json", page}), "p.html");
}

TEST_CASE("devices are written to") {
  Copy copy;
  const std::string image = copy.data() + "/test/good/0.png";
  const Outcome outcome = run({"detect", "--model", copy.model(), image, "--json", "/dev/stdout"});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, ContainsSubstring("\"verdict\""));
}
