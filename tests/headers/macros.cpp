/// adtr after headers whose macros have short names: C's complex numbers, the system's, X11's, Qt's and those of
/// <windows.h>. Built with GNU extensions, which <complex.h> needs to define I.
#include <complex.h>
#include <math.h>
#include <netdb.h>
#include <signal.h>
#include <sys/param.h>
#include <sys/sysmacros.h>
#include <termios.h>

#ifndef I
#error "this test is about <complex.h>, which has not defined I"
#endif

// Include these first: the macros below would break them.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <cmath>
#include <concepts>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <adtr/packages/xtensor.hpp>

// <X11/X.h>, <X11/Xlib.h> and <X11/Xutil.h>.
#define None 0L
#define Always 2
#define Above 0
#define Below 1
#define Bool int
#define Complex 0
#define False 0
#define Status int
#define Success 0
#define True 1
#define Unsorted 0
// Qt.
#define signals public
#define slots
#define emit
#define foreach(x, y) for (x : y)
#define forever for (;;)
// Macros of <math.h> on other systems, and on this one with some options.
#define DOMAIN 1
#define SING 2
#define OVERFLOW 3
#define UNDERFLOW 4
#define HUGE 3.4e38F

// <windows.h>.
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far

#include <adtr/adtr.hpp>
#include <adtr/backend/cuda.hpp>
#include <adtr/backend/eigen.hpp>
#include <adtr/backend/reference.hpp>

// The macros are as they were, for code that comes after.
static_assert(None == 0L && Success == 0 && min(1, 2) == 1 && max(1, 2) == 2 && sizeof(small) == 1);
[[maybe_unused]] const auto imaginary = 2.0F * I;
