/// Runs the built program adtr as a user would, without a shell between.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "weights/temporary.hpp"

struct Outcome {
  int status = -1;  ///< exit status, or minus the signal that ended the process
  std::string out, err;
};

/// A process under way, its output going to files.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, rlim_t largest_file = RLIM_INFINITY) {
    const char* program = std::getenv("ADTR_PROGRAM");
    if (program == nullptr) throw std::runtime_error("ADTR_PROGRAM does not name the program to test");
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const std::string out = folder_.file("out"), err = folder_.file("err");
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork failed");
    if (id_ > 0) return;
    // Between fork and exec only calls that are safe there.
    const rlimit limit{largest_file, largest_file};
    const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    if (::dup2(out_file, 1) == 1 && ::dup2(err_file, 2) == 2 &&
        (largest_file == RLIM_INFINITY || ::setrlimit(RLIMIT_FSIZE, &limit) == 0))
      ::execv(program, argv.data());
    ::_exit(127);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      static_cast<void>(wait());
    }
  }

  void kill() { ::kill(id_, SIGKILL); }

  /// Whether the process still runs.
  [[nodiscard]] bool running() {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

  Outcome wait() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    Outcome outcome;
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    outcome.out = read_whole(folder_.file("out"));
    outcome.err = read_whole(folder_.file("err"));
    return outcome;
  }

 private:
  TemporaryFolder folder_;
  ::pid_t id_ = -1;
};

inline Outcome run(const std::vector<std::string>& arguments, rlim_t largest_file = RLIM_INFINITY) {
  return Process(arguments, largest_file).wait();
}

/// The sentence of a failure: the only line on stderr, without `adtr: `. Throws where there is not exactly one.
inline std::string sentence(const Outcome& outcome) {
  const std::string prefix = "adtr: ";
  if (std::count(outcome.err.begin(), outcome.err.end(), '\n') != 1 || outcome.err.back() != '\n' ||
      !outcome.err.starts_with(prefix))
    throw std::runtime_error("expected one sentence on stderr, found '" + outcome.err + "'");
  return outcome.err.substr(prefix.size(), outcome.err.size() - prefix.size() - 1);
}
