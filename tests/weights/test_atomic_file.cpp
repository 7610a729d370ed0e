// A file is replaced whole or not at all, whatever fails.
#include "adtr/weights/atomic_file.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

/// No file may grow beyond `bytes` while this lives: what a full disk does, without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t handler_ = nullptr;
};

std::string write_error(const std::string& path, const std::string& content) {
  try {
    adtr::AtomicFile file(path);
    file.write(content);
    file.commit();
  } catch (const adtr::Error& e) {
    return e.what();
  }
  return "";
}

mode_t mode_of(const std::string& path) {
  struct ::stat status {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("AtomicFile: nothing is at the path before the commit, all of it after") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  {
    adtr::AtomicFile file(path);
    file.write("one ");
    file.write(std::string_view("two"));
    CHECK_FALSE(std::filesystem::exists(path));
    file.commit();
  }
  CHECK(read_whole(path) == "one two");
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("AtomicFile: without a commit the earlier file stays and nothing is left behind") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_whole(path, "earlier");
  try {
    adtr::AtomicFile file(path);
    file.write("new");
    CHECK(folder.names().size() == 2);
    throw std::runtime_error("something failed");
  } catch (const std::runtime_error&) {
  }
  CHECK(read_whole(path) == "earlier");
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("AtomicFile: a full disk names file and reason, and the earlier file stays") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_whole(path, "earlier");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    error = write_error(path, std::string(5000, 'x'));
  }
  CHECK(error == path + ": cannot be written: File too large");
  CHECK(read_whole(path) == "earlier");
  CHECK(folder.names() == std::vector<std::string>{"a"});
  CHECK(write_error(path, std::string(5000, 'x')).empty());
  CHECK(read_whole(path).size() == 5000);
}

TEST_CASE("AtomicFile: a killed process leaves the earlier file, and the next one is not in its way") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_whole(path, "earlier");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    adtr::AtomicFile file(path);
    file.write("half of the n");
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(read_whole(path) == "earlier");
  CHECK(write_error(path, "new").empty());
  CHECK(read_whole(path) == "new");
}

TEST_CASE("AtomicFile: a taken temporary name is passed over") {
  const TemporaryFolder folder;
  std::vector<std::string> stale;
  for (int i = 0; i < 40; ++i) {
    stale.push_back(folder.file(".adtr-" + std::to_string(::getpid()) + "-" + std::to_string(i) + ".tmp"));
    write_whole(stale.back(), "stale");
  }
  CHECK(write_error(folder.file("a"), "new").empty());
  CHECK(read_whole(folder.file("a")) == "new");
  for (const std::string& name : stale) CHECK(read_whole(name) == "stale");
}

TEST_CASE("AtomicFile: folders that cannot be written to") {
  const TemporaryFolder folder;
  const std::string absent = folder.file("absent/a");
  CHECK(write_error(absent, "x") == absent + ": cannot be written: No such file or directory");
  CHECK(write_error(folder.path(), "x") == folder.path() + ": cannot be written: it is a folder");
  CHECK(write_error("", "x") == ": cannot be written: No such file or directory");
  write_whole(folder.file("f"), "");
  CHECK(write_error(folder.file("f/a"), "x") == folder.file("f/a") + ": cannot be written: Not a directory");
  if (::geteuid() != 0) {  // root may write anywhere
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
    CHECK(write_error(folder.file("a"), "x") == folder.file("a") + ": cannot be written: Permission denied");
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(folder.file("f"), std::filesystem::perms(0444));
    CHECK(write_error(folder.file("f"), "x") == folder.file("f") + ": cannot be written: Permission denied");
  }
}

TEST_CASE("AtomicFile: permissions follow the umask, or the file that is replaced") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  CHECK(write_error(folder.file("new"), "x").empty());
  CHECK(mode_of(folder.file("new")) == 0640);
  ::umask(before);
  write_whole(folder.file("old"), "x");
  std::filesystem::permissions(folder.file("old"), std::filesystem::perms(0604));
  CHECK(write_error(folder.file("old"), "y").empty());
  CHECK(mode_of(folder.file("old")) == 0604);
}

TEST_CASE("AtomicFile: a link stays, the file behind it is replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("real"));
  write_whole(folder.file("real/a"), "earlier");
  std::filesystem::create_symlink("real/a", folder.file("link"));
  CHECK(write_error(folder.file("link"), "new").empty());
  CHECK(std::filesystem::is_symlink(folder.file("link")));
  CHECK(read_whole(folder.file("real/a")) == "new");
}

TEST_CASE("AtomicFile: a relative path") {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(write_error("a", "x").empty());
  std::filesystem::current_path(before);
  CHECK(read_whole(folder.file("a")) == "x");
}

TEST_CASE("AtomicFile: devices are written directly and stay devices") {
  if (!std::filesystem::is_character_file("/dev/full")) return;
  CHECK(write_error("/dev/full", "x") == "/dev/full: cannot be written: No space left on device");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(write_error("/dev/null", "x").empty());
  CHECK(std::filesystem::is_character_file("/dev/null"));
}
