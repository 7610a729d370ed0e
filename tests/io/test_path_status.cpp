// Every kind of unusable path has its own sentence and code.
#include "adtr/io/path_status.hpp"

#include "io/material.hpp"
#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

std::string file_problem(const fs::path& path) {
  return coded_error_of([&] { adtr::expect_file(path); });
}
std::string folder_problem(const fs::path& path) {
  return coded_error_of([&] { adtr::expect_folder(path); });
}
std::string problem(const fs::path& path, int reason, adtr::PathUse use) {
  const adtr::PathProblem p = adtr::describe_path_problem(path, reason, use);
  return std::string(adtr::name_of(p.code)) + ": " + p.sentence;
}

/// A folder with one of each: a file, a folder, links of every kind, a pipe.
struct Zoo {
  TemporaryFolder folder;
  Zoo() {
    fs::permissions(folder.path(), fs::perms(0755));
    write_whole(at("file"), "x");
    fs::create_directory(at("sub"));
    fs::create_symlink("file", at("link"));
    fs::create_symlink("sub", at("sublink"));
    fs::create_symlink("nothing", at("dangling"));
    fs::create_symlink("sub/none/nothing", at("deep_dangling"));
    fs::create_symlink("loop2", at("loop1"));
    fs::create_symlink("loop1", at("loop2"));
    fs::create_symlink("self", at("self"));
    ::mkfifo(at("pipe").c_str(), 0666);
  }
  [[nodiscard]] std::string at(const std::string& name) const { return folder.file(name); }
};

}  // namespace

TEST_CASE("path_status: a usable path causes no error") {
  const Zoo z;
  for (const char* name : {"file", "link", "./file", "sub/../file", "sublink/../file"}) {
    INFO(name);
    CHECK(file_problem(z.at(name)).empty());
  }
  for (const char* name : {"sub", "sub/", "sublink", "sublink/", "./sub/.", "sub/.."}) {
    INFO(name);
    CHECK(folder_problem(z.at(name)).empty());
  }
}

TEST_CASE("path_status: reading") {
  const Zoo z;
  const std::string root = z.folder.path();
  const std::string missing = "file_missing: ", unreadable = "file_unreadable: ";
  const auto file = [&](const std::string& name) {
    const std::string text = file_problem(z.at(name)), path = z.at(name) + ": ";
    const std::size_t i = text.find(path);
    return i == std::string::npos ? "unnamed: " + text : text.substr(0, i) + text.substr(i + path.size());
  };
  CHECK(file("nothing") == missing + "no such file");
  CHECK(file("none/a/file") == missing + "cannot be read: there is no folder " + root + "/none");
  CHECK(file("dangling") == missing + "cannot be read: it is a link to nothing, which does not exist");
  CHECK(file("dangling/a") ==
        missing + "cannot be read: " + root + "/dangling is a link to nothing, which does not exist");
  const std::string loop = ", and the links lead back to where they began";
  CHECK(file("loop1") == unreadable + "cannot be read: it is a link to loop2" + loop);
  CHECK(file("self") == unreadable + "cannot be read: it is a link to self" + loop);
  CHECK(file("self/a") == unreadable + "cannot be read: " + root + "/self is a link to self" + loop);
  CHECK(file("sub") == unreadable + "cannot be read: it is a folder, expected a file");
  CHECK(file("sublink") == unreadable + "cannot be read: it is a folder, expected a file");
  CHECK(file("pipe") == unreadable + "cannot be read: it is a pipe, expected a file");
  CHECK(file("file/a") == unreadable + "cannot be read: " + root + "/file is a file, expected a folder");
  CHECK(file("link/a/b") == unreadable + "cannot be read: " + root + "/link is a file, expected a folder");
  CHECK(file("file/") == unreadable + "cannot be read: " + root + "/file is a file, expected a folder");
  CHECK(file(std::string(300, 'n')) == unreadable + "cannot be read: its name is too long for the file system");
  CHECK(file_problem("") == "option: expected the name of a file, found an empty one");
  CHECK(file_problem("/dev/null") == "file_unreadable: /dev/null: cannot be read: it is a device, expected a file");
  CHECK(file_problem("no such/file") == "file_missing: no such/file: cannot be read: there is no folder no such");
}

TEST_CASE("path_status: folders to read") {
  const Zoo z;
  const std::string root = z.folder.path();
  CHECK(folder_problem(z.at("nothing")) == "file_missing: " + root + "/nothing: no such folder");
  CHECK(folder_problem(z.at("file")) == "file_unreadable: " + root + "/file: expected a folder, found a file");
  CHECK(folder_problem(z.at("pipe")) == "file_unreadable: " + root + "/pipe: expected a folder, found a pipe");
  CHECK(folder_problem(z.at("dangling")) ==
        "file_missing: " + root + "/dangling: cannot be read: it is a link to nothing, which does not exist");
  CHECK(folder_problem(z.at("loop2")) ==
        "file_unreadable: " + root +
            "/loop2: cannot be read: it is a link to loop1, and the links lead back to where they began");
  CHECK(folder_problem("") == "option: expected the name of a folder, found an empty one");
}

TEST_CASE("path_status: writing") {
  const Zoo z;
  const std::string root = z.folder.path();
  using adtr::PathUse;
  CHECK(problem(z.at("none/a"), ENOENT, PathUse::write_file) ==
        "file_unwritable: cannot be written: there is no folder " + root + "/none");
  CHECK(problem(z.at("file/a"), ENOTDIR, PathUse::write_file) ==
        "file_unwritable: cannot be written: " + root + "/file is a file, expected a folder");
  CHECK(problem(z.at("sub"), EISDIR, PathUse::write_file) ==
        "file_unwritable: cannot be written: it is a folder, expected a file");
  CHECK(problem(z.at("deep_dangling"), ENOENT, PathUse::write_file) ==
        "file_unwritable: cannot be written: it is a link to sub/none/nothing, and there is no folder " + root +
            "/sub/none");
  CHECK(problem(z.at("file"), ENOSPC, PathUse::write_file) ==
        "no_resources: cannot be written: No space left on device");
  CHECK(problem(z.at("new"), EROFS, PathUse::write_file) ==
        "file_unwritable: cannot be written: Read-only file system");
  CHECK(problem(z.at("file"), EEXIST, PathUse::make_folder) == "file_unwritable: expected a folder, found a file");
  CHECK(problem(z.at("file/a/b"), ENOTDIR, PathUse::make_folder) ==
        "file_unwritable: cannot be made: " + root + "/file is a file, expected a folder");
  CHECK(problem(z.at("dangling"), EEXIST, PathUse::make_folder) ==
        "file_unwritable: cannot be made: it is a link to nothing, which does not exist");
  CHECK(problem("", ENOENT, PathUse::write_file) == "option: expected the name of a file, found an empty one");
}

TEST_CASE("path_status: permissions name the file or folder that denies") {
  const Zoo z;
  const std::string root = z.folder.path();
  fs::create_directory(z.at("closed"));
  fs::create_directory(z.at("closed/in"));
  write_whole(z.at("closed/file"), "x");
  write_whole(z.at("secret"), "x");
  fs::create_symlink("closed/file", z.at("into_closed"));
  fs::permissions(z.at("secret"), fs::perms(0));
  fs::permissions(z.at("closed"), fs::perms(0));
  using adtr::PathUse;
  const auto check = [](const std::string& expected, const auto& action) {
    const auto said = as_user(action);
    if (said) CHECK(*said == expected);
  };
  check("file_unreadable: " + root + "/secret: cannot be read: it may not be read (permission denied)",
        [&] { return file_problem(z.at("secret")); });
  check("file_unreadable: " + root + "/closed/file: cannot be read: the folder " + root +
            "/closed may not be entered (permission denied)",
        [&] { return file_problem(z.at("closed/file")); });
  check("file_unreadable: " + root + "/closed/in/a: cannot be read: the folder " + root +
            "/closed may not be entered (permission denied)",
        [&] { return file_problem(z.at("closed/in/a")); });
  check("file_unreadable: " + root +
            "/into_closed: cannot be read: it is a link to closed/file, and a folder on the way there may not be "
            "entered (permission denied)",
        [&] { return file_problem(z.at("into_closed")); });
  check("file_unreadable: " + root + "/closed: cannot be read: it may not be listed (permission denied)",
        [&] { return folder_problem(z.at("closed")); });
  check("file_unwritable: cannot be written: it may not be written to (permission denied)",
        [&] { return problem(z.at("secret"), EACCES, PathUse::write_file); });
  check("file_unwritable: cannot be written: the folder " + root + " may not be written to (permission denied)",
        [&] { return problem(z.at("new"), EACCES, PathUse::write_file); });
  check("file_unwritable: cannot be made: the folder " + root + " may not be written to (permission denied)",
        [&] { return problem(z.at("new/a/b"), EACCES, PathUse::make_folder); });
  fs::permissions(z.at("closed"), fs::perms(0755));  // so that it can be removed
}
