// No output is an input, another output, or a file that adtr did not write, by any name and any link.
#include "adtr/io/file_plan.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "adtr/io/atomic_file.hpp"
#include "io/material.hpp"
#include "io/outputs.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;
using adtr::FileKind;
using adtr::FilePlan;

std::string check(const FilePlan& plan) {
  return coded_error_of([&] { plan.check(); });
}

/// Makes a folder the current one while this object lives.
struct Inside {
  TemporaryFolder folder;
  fs::path before = fs::current_path();
  Inside() {
    fs::create_directory(folder.file("data"));
    fs::create_directory(folder.file("other"));
    fs::create_directory_symlink("data", folder.file("datalink"));
    fs::current_path(folder.path());
  }
  ~Inside() { fs::current_path(before); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

/// Every way to name data/file that works whether or not it exists.
std::vector<std::string> names_of(const std::string& root, const std::string& file) {
  return {"data/" + file,
          "./data/" + file,
          "data/./" + file,
          "data//" + file,
          "other/../data/" + file,
          "data/../data/" + file,
          root + "/data/" + file,
          root + "/other/.././data/" + file,
          "../" + fs::path(root).filename().string() + "/data/" + file,
          "datalink/" + file,
          root + "/datalink/" + file,
          "datalink/../data/" + file};
}

/// Links to data/file, which need not exist: a link, a link to a link, an absolute one.
std::vector<std::string> links_to(const std::string& root, const std::string& file) {
  fs::create_symlink("../data/" + file, "other/link_to_" + file);
  fs::create_symlink("link_to_" + file, "other/link2_to_" + file);
  fs::create_symlink(root + "/datalink/" + file, "other/absolute_to_" + file);
  return {"other/link_to_" + file, "other/link2_to_" + file, "other/absolute_to_" + file};
}

struct Option {
  const char* role;
  FileKind kind;
};
struct Command {
  std::vector<const char*> inputs;
  std::vector<Option> outputs;
};
/// The files that the commands read and write.
const std::vector<Command> commands{
    {{"--backbone", "--start", "an image", "a mask"},
     {{"--out", FileKind::model},
      {"--json", FileKind::json},
      {"the checkpoint", FileKind::checkpoint},
      {"the snapshot", FileKind::model}}},
    {{"--model", "an image"},
     {{"--json", FileKind::json}, {"--maps", FileKind::heat_map}, {"--maps", FileKind::score_map}}},
    {{"--model", "an image", "a mask"},
     {{"--json", FileKind::json},
      {"--report", FileKind::page},
      {"--maps", FileKind::heat_map},
      {"--maps", FileKind::score_map}}}};

}  // namespace

TEST_CASE("FilePlan: no output may be an input, by any name or link") {
  const Inside inside;
  const std::string root = inside.folder.path();
  for (const bool exists : {true, false}) {
    const std::string file = exists ? "there" : "absent";
    std::vector<std::string> names = names_of(root, file);
    for (const std::string& link : links_to(root, file)) names.push_back(link);
    // Even a file of the right kind must not be an output if it is an input.
    if (exists) {
      write_whole("data/" + file, "");
      fs::create_hard_link("data/" + file, "other/hard");
      names.push_back("other/hard");
      names.push_back("other/../datalink/../other/hard");
    }
    for (const Command& command : commands)
      for (const char* input : command.inputs)
        for (const Option& output : command.outputs)
          for (const std::string& in : {names.front(), names.back(), root + "/datalink/" + file})
            for (const std::string& out : names) {
              FilePlan plan;
              plan.reads(input, in);
              plan.writes(output.role, out, output.kind);
              const std::string said = check(plan);
              const std::string same =
                  fs::path(in) == fs::path(out) ? "is a file that" : "is the same file as " + in + ", which";
              REQUIRE(said == "file_conflict: " + out + ": " + same + " this command reads (" + input + "); " +
                                  output.role + " may not write over it");
            }
  }
}

TEST_CASE("FilePlan: no two outputs may be one file, by any name or link") {
  const Inside inside;
  const std::string root = inside.folder.path();
  for (const bool exists : {true, false}) {
    const std::string file = exists ? "there" : "absent";
    std::vector<std::string> names = names_of(root, file);
    for (const std::string& link : links_to(root, file)) names.push_back(link);
    if (exists) {
      write_whole("data/" + file, "");
      fs::create_hard_link("data/" + file, "other/hard");
      names.push_back("other/hard");
    }
    for (const Command& command : commands)
      for (std::size_t a = 0; a < command.outputs.size(); ++a)
        for (std::size_t b = 0; b < command.outputs.size(); ++b) {
          if (a == b) continue;
          for (const std::string& name : names) {
            FilePlan plan;
            plan.writes(command.outputs[a].role, names.front(), command.outputs[a].kind);
            plan.writes(command.outputs[b].role, name, command.outputs[b].kind);
            const std::string said = check(plan);
            INFO(said);
            REQUIRE(said.starts_with("file_conflict: " + name + ": "));
            REQUIRE(said.ends_with("; give each a name of its own"));
          }
        }
  }
  FilePlan plan;
  plan.writes("--out", "m", FileKind::model);
  plan.writes("--json", "m", FileKind::json);
  CHECK(check(plan) == "file_conflict: m: would be written by --out and by --json; give each a name of its own");
  FilePlan maps;
  maps.writes("--maps", "data/a.png", FileKind::heat_map);
  maps.writes("--maps", "datalink/a.png", FileKind::heat_map);
  CHECK(check(maps) ==
        "file_conflict: datalink/a.png: is the same file as data/a.png, written twice by --maps; give each a name of "
        "its own");
}

TEST_CASE("FilePlan: different files do not conflict") {
  const Inside inside;
  write_whole("data/a.png", "an image");
  write_whole("data/b.png", "an image");
  write_of_kind("data/model", FileKind::model);
  FilePlan plan;
  plan.reads("--model", "data/model");
  for (const char* image : {"data/a.png", "data/b.png", "data/a.png", "data/absent.png"}) plan.reads("an image", image);
  plan.reads_folder("--data", "data", false);
  plan.writes("--json", "data/results.json", FileKind::json);
  plan.writes("--report", "page.html", FileKind::page);
  plan.writes("--maps", "other/a.png", FileKind::heat_map);
  plan.writes("--maps", "other/a.npy", FileKind::score_map);
  plan.writes("--maps", "data/maps/b.png", FileKind::heat_map);
  CHECK(check(plan).empty());
  CHECK_FALSE(fs::exists("page.html"));
}

TEST_CASE("FilePlan: an existing output is replaced only if adtr wrote it") {
  const Inside inside;
  for (const FileKind existing : all_kinds)
    for (const FileKind output : all_kinds) {
      write_of_kind("data/out.npy", existing);
      FilePlan plan;
      plan.writes("--out", "data/out.npy", output);
      const std::string said = check(plan);
      if (existing == output)
        CHECK(said.empty());
      else
        CHECK(said == "file_conflict: data/out.npy: exists and is not " + std::string(adtr::name_of(output)) +
                          " that adtr wrote; it is left as it is (--out)");
    }
  fs::create_symlink("notes.txt", "data/link.json");
  write_whole("data/notes.txt", "mine");
  FilePlan linked;
  linked.writes("--json", "data/link.json", FileKind::json);
  CHECK(check(linked).starts_with("file_conflict: data/link.json: exists and is not a JSON file that adtr wrote"));
  write_whole("data/notes.txt", "");
  CHECK(check(linked).empty());
}

TEST_CASE("FilePlan: no map goes where its picture would be the next run's input") {
  const Inside inside;
  fs::create_directories("data/test/good");
  fs::create_directories("data/flat/deep");
  fs::create_directory_symlink("../data/test", "other/tests");
  const auto said = [&](const std::string& folder, bool with_sub_folders, const std::string& out, FileKind kind) {
    FilePlan plan;
    plan.reads_folder("inputs", folder, with_sub_folders);
    plan.writes("--maps", out, kind);
    return check(plan);
  };
  for (const FileKind kind : {FileKind::heat_map, FileKind::score_map}) {
    for (const char* out :
         {"data/test/a.png", "data/test/good/a.png", "data/test/new/deep/a.png", "other/tests/a.png",
          "other/tests/good/../new/a.png", "./datalink/test/a.png", "data/test/good/../../test/x/a.png"})
      CHECK(said("data/test", true, out, kind).starts_with("file_conflict: " + std::string(out) + ": would lie "));
    CHECK(said("data/flat", false, "data/flat/a.png", kind) ==
          "file_conflict: data/flat/a.png: would lie in data/flat, whose images are inputs: the next run would take it "
          "for one of them; give --maps another folder");
    CHECK(said("datalink/flat/", false, "data/flat/./a.png", kind).starts_with("file_conflict: "));
    CHECK(said("data/flat", false, "data/flat/maps/a.png", kind).empty());
    CHECK(said("data/flat", false, "data/flat/deep/a.png", kind).empty());
    CHECK(said("data/test", true, "data/maps/a.png", kind).empty());
    CHECK(said("data/test", true, "data/test2/a.png", kind).empty());
    CHECK(said("data/absent", true, "data/absent/a.png", kind).empty());
  }
  CHECK(said("data/test", true, "data/test/results.json", FileKind::json).empty());
  FilePlan twice;  // the call with sub-folders counts, in either order
  twice.reads_folder("inputs", "data/flat", true);
  twice.reads_folder("inputs", "data/flat", false);
  twice.writes("--maps", "data/flat/maps/a.png", FileKind::heat_map);
  CHECK_FALSE(check(twice).empty());
  CHECK_FALSE(check(twice).empty());  // and again
}

TEST_CASE("FilePlan: an output may not have the name of a folder that another output needs") {
  const Inside inside;
  for (const bool first : {true, false}) {
    FilePlan plan;
    if (first) plan.writes("--json", "maps", FileKind::json);
    plan.writes("--maps", "./maps/good/a.png", FileKind::heat_map);
    if (!first) plan.writes("--json", "maps", FileKind::json);
    CHECK(check(plan) ==
          "file_conflict: maps: would be written by --json, but --maps needs a folder of that name for "
          "./maps/good/a.png");
  }
  FilePlan folder;
  folder.writes("--json", "data", FileKind::json);
  CHECK(check(folder) == "file_unwritable: data: cannot be written: it is a folder, expected a file");
  FilePlan empty;
  empty.writes("--json", "", FileKind::json);
  CHECK(check(empty) == "option: --json: expected the name of a file, found an empty one");
}

TEST_CASE("FilePlan: devices, pipes and standard streams are exempt") {
  const Inside inside;
  ::mkfifo("data/pipe", 0666);
  FilePlan plan;
  for (const char* device : {"/dev/null", "data/pipe", "/dev/stdout"}) {
    plan.reads("an image", device);
    plan.writes("--json", device, FileKind::json);
    plan.writes("--out", device, FileKind::model);
  }
  CHECK(check(plan).empty());
}

TEST_CASE("FilePlan: names of temporary files are refused, as these are removed") {
  const Inside inside;
  write_whole("data/.adtr-12-3.tmp", "");
  FilePlan reads;
  reads.reads("an image", "data/.adtr-12-3.tmp");
  CHECK(check(reads).starts_with("file_conflict: data/.adtr-12-3.tmp: has a name that adtr gives to its temporary"));
  FilePlan writes;
  writes.writes("--json", "data/.adtr-12-4.tmp", FileKind::json);
  CHECK(check(writes).starts_with("file_conflict: data/.adtr-12-4.tmp: has a name"));
}

TEST_CASE("FilePlan: loops and forbidden folders are left to the writer, which names them") {
  const Inside inside;
  fs::create_symlink("loop", "data/loop");
  FilePlan plan;
  plan.reads("an image", "data/loop");
  plan.writes("--json", "data/loop/x.json", FileKind::json);
  CHECK(check(plan).empty());
  CHECK(
      coded_error_of([] { adtr::AtomicFile{"data/loop/x.json"}; }).starts_with("file_unwritable: data/loop/x.json: "));
}

TEST_CASE("FilePlan: ten thousand inputs and outputs are compared in a moment") {
  const Inside inside;
  constexpr int count = 10'000;
  const auto begin = std::chrono::steady_clock::now();
  FilePlan plan;
  for (int i = 0; i < count; ++i) {
    plan.reads("an image", "data/" + std::to_string(i) + ".png");
    plan.writes("--maps", "other/maps/" + std::to_string(i) + ".png", FileKind::heat_map);
  }
  CHECK(check(plan).empty());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK(seconds < 5.0);  // 0.1 s on a machine of 2020; a comparison of all pairs takes minutes
  plan.writes("--maps", "data/7777.png", FileKind::heat_map);
  CHECK(check(plan).starts_with("file_conflict: data/7777.png: is a file that this command reads"));
}
