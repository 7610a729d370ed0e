/// Runs a piece of a test in a process of its own, whose limits may be changed.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>

/// What `run()`, an int from 0 to 99, gave in a child process; 100 where it threw, 200 + signal where that ended it.
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
