// A file is replaced atomically, whatever fails.
#include "adtr/io/atomic_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "temporary.hpp"

namespace {

/// While this lives, no file may grow beyond `bytes`, which simulates a full disk.
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

TEST_CASE("AtomicFile: the file appears at the commit, complete") {
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

namespace {

/// Starts a process that writes half of a file to `path` and then waits; returns when the half is on disk.
pid_t start_writer(const std::string& path) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    adtr::AtomicFile file(path);
    file.write("half of the n");
    if (::write(ends[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char ready = 0;
  CHECK(::read(ends[0], &ready, 1) == 1);
  ::close(ends[0]);
  ::close(ends[1]);
  return child;
}

/// Whether locks show here who owns a file: they do not in a temporary folder on a network or on FUSE.
bool locks_tell(const TemporaryFolder& folder) {
  const int fd = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  const bool clear = adtr::detail::locks_are_clear(fd);
  ::close(fd);
  return clear;
}

void kill_writer(pid_t child) {
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("AtomicFile: a killed process leaves the earlier file; the next one removes what it left behind") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_whole(path, "earlier");
  const pid_t child = start_writer(path);
  CHECK(folder.names().size() == 2);
  kill_writer(child);
  CHECK(read_whole(path) == "earlier");
  CHECK(folder.names().size() == 2);
  CHECK(write_error(folder.file("b"), "new").empty());
  if (locks_tell(folder)) CHECK(folder.names() == std::vector<std::string>{"a", "b"});
  CHECK(read_whole(path) == "earlier");
}

TEST_CASE("AtomicFile: the file of a running process is not removed") {
  const TemporaryFolder folder;
  const pid_t child = start_writer(folder.file("a"));
  CHECK(write_error(folder.file("b"), "new").empty());
  CHECK(adtr::remove_stale_temporaries(folder.path()) == 0);
  CHECK(folder.names().size() == 2);
  kill_writer(child);
  if (!locks_tell(folder)) return;
  CHECK(adtr::remove_stale_temporaries(folder.path()) == 1);
  CHECK(folder.names() == std::vector<std::string>{"b"});
}

TEST_CASE("AtomicFile: the file of another thread is not removed before it has its name") {
  const TemporaryFolder folder;
  std::atomic<bool> done{false};
  // It may find a file that is not locked yet; the writer then creates another one.
  std::thread sweeper([&] {
    while (!done) adtr::remove_stale_temporaries(folder.path());
  });
  std::vector<std::string> errors;
  for (int i = 0; i < 300; ++i) errors.push_back(write_error(folder.file(std::to_string(i)), "new"));
  done = true;
  sweeper.join();
  CHECK(errors == std::vector<std::string>(300));
  CHECK(folder.names().size() == 300);
  for (const std::string& name : folder.names()) CHECK(read_whole(folder.file(name)) == "new");
}

TEST_CASE("AtomicFile: only regular files of its own name and user are removed") {
  const TemporaryFolder folder;
  const std::vector<std::string> kept{".adtr-1-.tmp", ".adtr--1.tmp",    ".adtr-1-2.tmp2", ".adtr-a-2.tmp",
                                      "adtr-1-2.tmp", ".adtr-1-2-3.tmp", ".adtr-1.tmp"};
  for (const std::string& name : kept) write_whole(folder.file(name), "x");
  std::filesystem::create_directory(folder.file(".adtr-1-2.tmp"));
  write_whole(folder.file("target"), "x");
  std::filesystem::create_symlink("target", folder.file(".adtr-1-3.tmp"));
  std::filesystem::create_hard_link(folder.file("target"), folder.file(".adtr-1-4.tmp"));
  REQUIRE(::mkfifo(folder.file(".adtr-1-5.tmp").c_str(), 0666) == 0);
  write_whole(folder.file(".adtr-1-6.tmp"), "stale");
  const std::size_t before = folder.names().size();
  if (!locks_tell(folder)) return;
  CHECK(adtr::remove_stale_temporaries(folder.path()) == 1);
  CHECK(folder.names().size() == before - 1);
  CHECK_FALSE(std::filesystem::exists(folder.file(".adtr-1-6.tmp")));
  if (::geteuid() == 0) {
    write_whole(folder.file(".adtr-1-6.tmp"), "another user's");
    REQUIRE(::chown(folder.file(".adtr-1-6.tmp").c_str(), 65534, 65534) == 0);
    CHECK(adtr::remove_stale_temporaries(folder.path()) == 0);
  }
}

TEST_CASE("AtomicFile: a name that another writer holds is passed over") {
  const TemporaryFolder folder;
  CHECK(write_error(folder.file("a"), "first").empty());  // from now on, nothing is removed
  std::vector<std::string> taken;
  for (int i = 0; i < 2000; ++i) {
    taken.push_back(folder.file(".adtr-" + std::to_string(::getpid()) + "-" + std::to_string(i) + ".tmp"));
    if (i % 2 == 0) write_whole(taken.back(), "taken");
  }
  CHECK(write_error(folder.file("a"), "new").empty());
  CHECK(read_whole(folder.file("a")) == "new");
  for (int i = 0; i < 2000; i += 2) CHECK(read_whole(taken[static_cast<std::size_t>(i)]) == "taken");
}

TEST_CASE("AtomicFile: folders that cannot be written to") {
  const TemporaryFolder folder;
  const std::string absent = folder.file("absent/a");
  CHECK(write_error(absent, "x") == absent + ": cannot be written: there is no folder " + folder.file("absent"));
  CHECK(write_error(folder.path(), "x") == folder.path() + ": cannot be written: it is a folder, expected a file");
  CHECK(write_error("", "x") == "expected the name of a file, found an empty one");
  write_whole(folder.file("f"), "");
  CHECK(write_error(folder.file("f/a"), "x") ==
        folder.file("f/a") + ": cannot be written: " + folder.file("f") + " is a file, expected a folder");
  CHECK(write_error(folder.file("n/"), "x") ==
        folder.file("n/") + ": cannot be written: there is no folder " + folder.file("n"));
  if (::geteuid() != 0) {  // root may write anywhere
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
    CHECK(write_error(folder.file("a"), "x") == folder.file("a") + ": cannot be written: the folder " + folder.path() +
                                                    " may not be written to (permission denied)");
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(folder.file("f"), std::filesystem::perms(0444));
    CHECK(write_error(folder.file("f"), "x") ==
          folder.file("f") + ": cannot be written: it may not be written to (permission denied)");
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

TEST_CASE("AtomicFile: a link is kept, and its target is replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("real"));
  write_whole(folder.file("real/a"), "earlier");
  std::filesystem::create_symlink("real/a", folder.file("link"));
  CHECK(write_error(folder.file("link"), "new").empty());
  CHECK(std::filesystem::is_symlink(folder.file("link")));
  CHECK(read_whole(folder.file("real/a")) == "new");
}

TEST_CASE("AtomicFile: a file is created through a dangling link; a loop of links is named") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("real"));
  std::filesystem::create_symlink("real/a", folder.file("link1"));
  std::filesystem::create_symlink("link1", folder.file("link2"));
  CHECK(write_error(folder.file("link2"), "new").empty());
  CHECK(std::filesystem::is_symlink(folder.file("link1")));
  CHECK(std::filesystem::is_symlink(folder.file("link2")));
  CHECK(read_whole(folder.file("real/a")) == "new");
  std::filesystem::create_symlink("loop", folder.file("loop"));
  CHECK(write_error(folder.file("loop"), "x") ==
        folder.file("loop") + ": cannot be written: it is a link to loop, and the links lead back to where they began");
  CHECK(std::filesystem::is_symlink(folder.file("loop")));
}

TEST_CASE("AtomicFile: a standard stream is written directly, even if it leads to a file") {
  const TemporaryFolder folder;
  const std::string path = folder.file("output");
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0666);
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, "before ", 7) == 7);
  CHECK(write_error("/dev/fd/" + std::to_string(fd), "json ").empty());
  REQUIRE(::write(fd, "after", 5) == 5);
  ::close(fd);
  CHECK(read_whole(path) == "before json after");
  CHECK(folder.names() == std::vector<std::string>{"output"});
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
