/// Runs the program adtr as a user would, but without a shell.
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
#include <string_view>
#include <vector>

#include "weights/temporary.hpp"

struct Outcome {
  int status = -1;  ///< exit status, or minus the signal that ended the process
  std::string out, err;
};

/// The environment of a process.
struct Surroundings {
  rlim_t largest_file = RLIM_INFINITY;
  rlim_t max_processes = RLIM_INFINITY;  ///< of its user, who then becomes nobody, because root has no such limit
  std::string temporary_folder{};        ///< TMPDIR; unchanged if empty
  bool nobody = false;                   ///< gives up root's rights, for which permissions do not count
};

/// The user and group `nobody` of Linux systems.
inline constexpr ::uid_t nobody_id = 65534;

/// A running process that writes its output to files.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, const Surroundings& surroundings = {}) {
    const char* program = std::getenv("ADTR_PROGRAM");
    if (program == nullptr) throw std::runtime_error("ADTR_PROGRAM does not name the program to test");
    arguments.insert(arguments.begin(), program);
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
      if (surroundings.temporary_folder.empty() || !std::string_view(*variable).starts_with("TMPDIR="))
        environment.emplace_back(*variable);
    if (!surroundings.temporary_folder.empty()) environment.push_back("TMPDIR=" + surroundings.temporary_folder);
    std::vector<char*> envp;
    for (std::string& e : environment) envp.push_back(e.data());
    envp.push_back(nullptr);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const std::string out = folder_.file("out"), err = folder_.file("err");
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork failed");
    if (id_ > 0) return;
    // Only async-signal-safe calls are allowed between fork and exec.
    const rlimit size{surroundings.largest_file, surroundings.largest_file};
    const rlimit processes{surroundings.max_processes, surroundings.max_processes};
    const bool nobody = surroundings.nobody || surroundings.max_processes != RLIM_INFINITY;
    const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    if (::dup2(out_file, 1) == 1 && ::dup2(err_file, 2) == 2 &&
        (surroundings.largest_file == RLIM_INFINITY || ::setrlimit(RLIMIT_FSIZE, &size) == 0) &&
        (surroundings.max_processes == RLIM_INFINITY || ::setrlimit(RLIMIT_NPROC, &processes) == 0) &&
        (!nobody || ::geteuid() != 0 || (::setgid(nobody_id) == 0 && ::setuid(nobody_id) == 0)))
      ::execve(program, argv.data(), envp.data());
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

  void kill(int signal = SIGKILL) { ::kill(id_, signal); }

  /// Whether the process still runs.
  [[nodiscard]] bool running() {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

  /// The output so far.
  [[nodiscard]] std::string out() const { return so_far("out"); }
  [[nodiscard]] std::string err() const { return so_far("err"); }

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
  [[nodiscard]] std::string so_far(const char* name) const {
    const std::string path = folder_.file(name);
    return std::filesystem::exists(path) ? read_whole(path) : "";
  }

  TemporaryFolder folder_;
  ::pid_t id_ = -1;
};

inline Outcome run(const std::vector<std::string>& arguments, const Surroundings& surroundings = {}) {
  return Process(arguments, surroundings).wait();
}

/// The sentence of a failure: the only line on stderr, without `adtr: `. Throws unless there is exactly one.
inline std::string sentence(const Outcome& outcome) {
  const std::string prefix = "adtr: ";
  if (std::count(outcome.err.begin(), outcome.err.end(), '\n') != 1 || outcome.err.back() != '\n' ||
      !outcome.err.starts_with(prefix))
    throw std::runtime_error("expected one sentence on stderr, found '" + outcome.err + "'");
  return outcome.err.substr(prefix.size(), outcome.err.size() - prefix.size() - 1);
}
