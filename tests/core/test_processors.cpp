/// The number of processors that a process may use, from its affinity and the files of control groups.
#include "adtr/parallel/processors.hpp"

#include <sched.h>

#include <filesystem>
#include <fstream>

#include "adtr/parallel/cgroup.hpp"
#include "core/child.hpp"
#include "support/catch.hpp"

namespace {

namespace detail = adtr::detail;
using Groups = std::vector<detail::CpuGroup>;

/// A folder that stands for `/`.
struct FakeRoot {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("adtr_processors_" + std::to_string(::getpid()));
  FakeRoot() { std::filesystem::remove_all(path); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() { std::filesystem::remove_all(path); }

  void write(const std::string& file, const std::string& text) const {
    const auto at = path / file;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << text;
  }
  [[nodiscard]] std::optional<double> quota() const { return detail::min_cpu_quota(path.string()); }
};

const std::string mounted_v2 =
    "22 27 0:21 / /proc rw,nosuid shared:13 - proc proc rw\n"
    "33 24 0:28 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("a quota is time divided by period, and a text that is not a quota sets no limit") {
  CHECK(detail::cpu_quota("200000 100000\n") == 2.0);
  CHECK(detail::cpu_quota("150000 100000\n") == 1.5);
  CHECK(detail::cpu_quota("5000 100000") == 0.05);
  for (const char* const none : {"max 100000\n", "max", "", "100000", "-1 100000", "0 100000", "100000 0", "a b"})
    CHECK_FALSE(detail::cpu_quota(none));
  CHECK(detail::cpu_quota("300000\n", "100000\n") == 3.0);
  CHECK_FALSE(detail::cpu_quota("-1\n", "100000\n"));
  CHECK_FALSE(detail::cpu_quota("", ""));
}

TEST_CASE("a quota is rounded up, and one above the number of processors does not add any") {
  CHECK(detail::within_quota(8, std::nullopt) == 8);
  CHECK(detail::within_quota(8, 2.0) == 2);
  CHECK(detail::within_quota(8, 2.01) == 3);
  CHECK(detail::within_quota(8, 0.05) == 1);
  CHECK(detail::within_quota(2, 64.0) == 2);
  CHECK(detail::within_quota(0, std::nullopt) == 1);
  CHECK(detail::within_quota(8, 1e300) == 8);
}

TEST_CASE("a process's groups are found in the tables of both versions and of containers") {
  CHECK(detail::cpu_groups("0::/user.slice/a.service\n", mounted_v2) ==
        Groups{{2, "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a.service"}});
  CHECK(detail::cpu_groups("0::/\n", mounted_v2) == Groups{{2, "/sys/fs/cgroup", "/sys/fs/cgroup"}});

  // Version 1: the controller is one of several, and its folder is named after two. cpuset is a different one.
  const std::string v1 =
      "30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "31 24 0:27 / /sys/fs/cgroup/cpuset rw shared:10 - cgroup cgroup rw,cpuset\n";
  CHECK(detail::cpu_groups("5:cpuset:/a\n4:cpu,cpuacct:/b\n1:name=systemd:/c\n", v1) ==
        Groups{{1, "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/b"}});

  // A container in which its own group is mounted; the path is the one on the host.
  const std::string own = "33 24 0:28 /docker/1f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
  CHECK(detail::cpu_groups("4:cpu:/docker/1f\n", own) == Groups{{1, "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu"}});
  CHECK(detail::cpu_groups("4:cpu:/docker/1f/in\n", own) == Groups{{1, "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu/in"}});
  // A path that only begins alike is a different group, and a path outside the namespace leads nowhere: use the mount.
  CHECK(detail::cpu_groups("4:cpu:/docker/1f2\n", own) == Groups{{1, "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu"}});
  CHECK(detail::cpu_groups("0::/../../a\n", mounted_v2) == Groups{{2, "/sys/fs/cgroup", "/sys/fs/cgroup"}});
  CHECK(detail::cpu_groups("0::/a\n", "33 24 0:28 / /a\\040b\\134c rw - cgroup2 cgroup2 rw\n") ==
        Groups{{2, "/a b\\c", "/a b\\c/a"}});

  for (const char* const broken : {"", "\n", "0", "0:", "0::", ":::", "4:cpu"})
    CHECK(detail::cpu_groups(broken, "33 24\n - \n33 24 0:28 / - cgroup2\n").empty());
}

TEST_CASE("the lowest quota of a group and its parents counts, read from files") {
  const FakeRoot root;
  CHECK_FALSE(root.quota());  // no files at all
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("proc/self/mountinfo", mounted_v2);
  CHECK_FALSE(root.quota());
  root.write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  CHECK_FALSE(root.quota());
  root.write("sys/fs/cgroup/outer/cpu.max", "250000 100000\n");
  CHECK(root.quota() == 2.5);
  root.write("sys/fs/cgroup/outer/inner/cpu.max", "400000 100000\n");
  CHECK(root.quota() == 2.5);
  root.write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  CHECK(root.quota() == 1.0);
  root.write("sys/fs/cpu.max", "1000 100000\n");  // outside the hierarchy
  CHECK(root.quota() == 1.0);

  root.write("proc/self/cgroup", "4:cpu,cpuacct:/a\n");
  root.write("proc/self/mountinfo", "30 24 0:26 / /cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  root.write("cpu/a/cpu.cfs_quota_us", "-1\n");
  root.write("cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(root.quota());
  root.write("cpu/a/cpu.cfs_quota_us", "350000\n");
  CHECK(root.quota() == 3.5);
}

TEST_CASE("a process that may run on one processor has one") {
  CHECK(adtr::available_processors() >= 1);
  const int processors = in_child([] {
    cpu_set_t allowed, one;
    CPU_ZERO(&allowed);
    CPU_ZERO(&one);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 98;
    int first = 0;
    while (!CPU_ISSET(static_cast<unsigned>(first), &allowed)) ++first;
    CPU_SET(static_cast<unsigned>(first), &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) return 99;
    return adtr::available_processors();
  });
  CHECK(processors == 1);
}

TEST_CASE("a note says how many threads are used and why, if they are fewer than requested") {
  CHECK(adtr::threads_note(64, 2, 2) ==
        "64 threads were requested; 2 are used, because this process may use 2 processors");
  CHECK(adtr::threads_note(64, 1, 1) ==
        "64 threads were requested; 1 is used, because this process may use 1 processor");
  CHECK(adtr::threads_note(64, 5, 32) ==
        "64 threads were requested; 5 are used, because the system refused to start more");
  CHECK(adtr::threads_note(0, 1, 8) ==
        "a thread for each of 8 processors was requested; 1 is used, because the system refused to start more");
  CHECK(adtr::threads_note(2, 2, 2).empty());
  CHECK(adtr::threads_note(0, 8, 8).empty());
  CHECK(adtr::threads_note(7, 7, 1).empty());
}
