/// Runs a part of a test in a child process, so that it can change the limits of the process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>

/// Returns the result of `run()`, from 0 to 99, in a child process; 100 if it threw, 200 + signal if a signal ended it.
template <class F>
[[nodiscard]] int in_child(F&& run) {
  const pid_t child = ::fork();
  if (child < 0) return -1;
  if (child == 0) {
    std::set_terminate([] { ::_exit(101); });
    int result = 100;
    try {
      result = run();
    } catch (...) {
    }
    ::_exit(result);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}
