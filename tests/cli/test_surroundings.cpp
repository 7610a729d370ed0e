/// Limits and settings of the system: threads, TMPDIR, permissions, links, empty options.
#include <unistd.h>

#include "adtr/parallel/processors.hpp"
#include "cli/json_values.hpp"
#include "cli/material.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<std::string> detecting(const std::vector<std::string>& more) {
  std::vector<std::string> a{"detect", "--model", Material::get().model(), Material::get().data() + "/test/good/0.png"};
  a.insert(a.end(), more.begin(), more.end());
  return a;
}

/// Whether the user nobody can start the program, which is impossible in a folder that only its owner may enter.
bool nobody_can_run() {
  if (::geteuid() != 0) return true;
  const bool can = run({"--help"}, {.nobody = true}).status == 0;
  if (!can) WARN("the user nobody cannot start the program from its folder, so this test is left out");
  return can;
}

/// A folder that everyone may read, with the material's model and an image.
class Public {
 public:
  Public() {
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::copy(Material::get().model(), file("model.adtr"));
    fs::copy(Material::get().data() + "/test/good/0.png", file("0.png"));
    fs::permissions(file("model.adtr"), fs::perms(0644));
    fs::permissions(file("0.png"), fs::perms(0644));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("more threads than processors are not started, and the program says so") {
  const Outcome outcome = run(detecting({"--threads", "4096"}));
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK_THAT(sentence(outcome),
             ContainsSubstring("4096") && ContainsSubstring(std::to_string(adtr::available_processors())));
  CHECK(run(detecting({"--threads", "1"})).err.empty());
  CHECK(run(detecting({"--threads", "0"})).err.empty());
}

TEST_CASE("the program works with fewer threads if the system refuses some") {
  if (!nobody_can_run()) return;
  const Public p;
  const std::vector<std::string> arguments{"detect", "--model", p.file("model.adtr"), p.file("0.png")};
  const Outcome free = run(arguments);
  for (const rlim_t limit : {rlim_t{0}, rlim_t{1}, rlim_t{5}}) {
    INFO(limit);
    const Outcome outcome = run(arguments, {.max_processes = limit});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(outcome.out == free.out);  // the same bits for any number of threads
  }
}

TEST_CASE("a missing temporary folder stops no command that does not need it") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  const Outcome outcome = run(m.training(folder.file("m.adtr")), {.temporary_folder = folder.file("none")});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  const Outcome needed =
      run(m.training(folder.file("n.adtr"), {"--cache-memory", "0"}), {.temporary_folder = folder.file("none")});
  CHECK(needed.status == 1);
  CHECK_THAT(sentence(needed), ContainsSubstring(folder.file("none")) && ContainsSubstring("TMPDIR"));
}

TEST_CASE("an empty option is wrong usage") {
  const std::string model = Material::get().model(), image = Material::get().data() + "/test/good/0.png";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"train", "--data", "", "--backbone", "w", "--out", "o"}, "--data"},
      {{"train", "--data", "d", "--backbone", "", "--out", "o"}, "--backbone"},
      {{"train", "--data", "d", "--backbone", "w", "--out", ""}, "--out"},
      {{"evaluate", "--model", "", "--data", "d"}, "--model"},
      {{"evaluate", "--model", "m", "--data", "d", "--report", ""}, "--report"},
      {{"detect", "--model", model, ""}, "images"},
      {{"detect", "--model", model, image, "--json", ""}, "--json"},
      {{"detect", "--model", model, image, "--maps", ""}, "--maps"},
      {{"info", ""}, "file"},
  };
  for (const auto& [arguments, named] : cases) {
    const Outcome outcome = run(arguments);
    INFO(outcome.err);
    CHECK(outcome.status == 2);
    CHECK_THAT(sentence(outcome), ContainsSubstring(named) && ContainsSubstring("empty"));
  }
}

TEST_CASE("links and permissions that stop a command are named with the cause") {
  const Material& m = Material::get();
  const TemporaryFolder folder;
  fs::create_symlink(folder.file("gone"), folder.file("dangling"));
  fs::create_symlink(folder.file("ring_b"), folder.file("ring_a"));
  fs::create_symlink(folder.file("ring_a"), folder.file("ring_b"));
  const std::string image = m.data() + "/test/good/0.png";
  struct Case {
    const char* name;
    const char* cause;
  };
  for (const Case& c : {Case{"dangling", "which does not exist"}, Case{"ring_a", "lead back to where they began"},
                        Case{"none", "no such"}}) {
    const std::string path = folder.file(c.name);
    auto training = m.training(folder.file("m.adtr"));
    training[2] = path;
    auto weights = m.training(folder.file("m.adtr"));
    weights[4] = path;
    for (const auto& arguments : {std::vector<std::string>{"detect", "--model", path, image},
                                  {"detect", "--model", m.model(), path},
                                  {"evaluate", "--model", m.model(), "--data", path},
                                  {"info", path},
                                  training,
                                  weights}) {
      const Outcome outcome = run(arguments);
      INFO(arguments[0] << ' ' << c.name << ": " << outcome.err);
      CHECK(outcome.status == 1);
      CHECK_THAT(sentence(outcome),
                 StartsWith(path + ": ") && ContainsSubstring(c.cause) && !ContainsSubstring("filesystem error"));
    }
  }
}

TEST_CASE("files that the user may not read are named") {
  if (!nobody_can_run()) return;
  const Public p;
  fs::create_directory(p.file("locked"));
  fs::copy(p.file("0.png"), p.file("locked/0.png"));
  fs::copy(p.file("model.adtr"), p.file("locked/model.adtr"));
  fs::permissions(p.file("locked"), fs::perms(0));
  fs::copy(p.file("0.png"), p.file("secret.png"));
  fs::permissions(p.file("secret.png"), fs::perms(0));
  for (const auto& [model, image] :
       {std::pair{"model.adtr", "locked/0.png"}, {"model.adtr", "secret.png"}, {"locked/model.adtr", "0.png"}}) {
    const Outcome outcome = run({"detect", "--model", p.file(model), p.file(image)}, {.nobody = true});
    INFO(outcome.err);
    CHECK(outcome.status == 1);
    CHECK_THAT(sentence(outcome), ContainsSubstring("ermission denied"));
  }
  const Outcome output =
      run({"detect", "--model", p.file("model.adtr"), p.file("0.png"), "--json", p.file("r.json")}, {.nobody = true});
  CHECK(output.status == 1);
  CHECK_THAT(sentence(output), StartsWith(p.file("r.json") + ": ") && ContainsSubstring("ermission denied"));
  fs::permissions(p.file("locked"), fs::perms(0755));
}
