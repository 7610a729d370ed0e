#!/usr/bin/env bash
# Prints how many lines of include/adtr the unit tests run. Builds them in build/coverage with gcc's instrumentation.
#
#   tools/coverage.sh                     all areas but golden, whose whole networks take hours in this build
#   tools/coverage.sh metrics train       the tests of these folders of tests/
#
# Writes build/coverage/lines.txt (one line a file) and build/coverage/html/index.html (every line). A template counts
# where a test instantiates it, and a function that only the compiler evaluates counts as not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly build=build/coverage
readonly all=(backend cli core cuda data io layout metrics models nn report train weights)
areas=("$@")
if ((${#areas[@]} == 0)); then areas=("${all[@]}"); fi
for area in "${areas[@]}"; do
  if [[ ! " ${all[*]} " == *" $area "* ]]; then
    echo "usage: tools/coverage.sh [AREA...], an AREA being one of: ${all[*]}" >&2
    exit 2
  fi
done

if ! command -v gcovr >/dev/null; then tools/install_packages.sh gcovr; fi
# Asserts stay, as in the sanitizers' build; -O1, because -O0 makes the tests several times slower.
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=g++ -DADTR_BUILD_BENCHMARKS=OFF \
  -DCMAKE_CXX_FLAGS_DEBUG="-O1 --coverage -fprofile-update=prefer-atomic" >"$build.log"
cmake --build "$build" -j "$(nproc)" --target "${areas[@]/#/test_}"
find "$build" -name '*.gcda' -delete  # of an earlier run
ctest --test-dir "$build" --output-on-failure -R "^test_($(IFS='|'; echo "${areas[*]}"))(_|\$)"
mkdir -p "$build/html"
gcovr --root . --filter 'include/adtr/' --object-directory "$build" --exclude-unreachable-branches \
  --txt "$build/lines.txt" --html-details "$build/html/index.html" --print-summary "$build" | grep '^lines:'
