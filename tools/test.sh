#!/usr/bin/env bash
# Installs what is missing, then builds and runs the quick tests, within ten minutes on two processors. With --all, builds
# everything, runs every test, and runs the unit tests again under the sanitizers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all=false
case "${1:-}" in
  "") ;;
  --all) all=true ;;
  *) echo "usage: tools/test.sh [--all]" >&2; exit 2 ;;
esac

jobs="$(nproc)"
times=()
skipped=()

part() {  # part NAME COMMAND...
  local name="$1" begin="$SECONDS"
  shift
  echo "=== $name"
  "$@"
  times+=("$(printf '%5d s  %s' "$((SECONDS - begin))" "$name")")
}

passed() {
  echo "=== all passed"
  printf '%s\n' "${times[@]}" ${skipped[@]+"${skipped[@]}"}
}

if ! $all; then
  part "packages" tools/install_packages.sh --quick
  part "configure" cmake --preset release -DCMAKE_UNITY_BUILD=ON -DADTR_CUDA=OFF
  part "build" cmake --build --preset release -j "$jobs" --target quick_tests
  part "test" ctest --preset release -j "$jobs" -L quick
  passed
  echo "Not run: larger networks, the CUDA emulator, other compilers, programs that use adtr, sanitizers, and more."
  echo "To run every test, which takes about 40 minutes on two processors: tools/test.sh --all"
  exit 0
fi

sanitized() {  # sanitized TOOL PROGRAM: a program that skips its tests ends with 77; some cause errors on purpose
  compute-sanitizer --tool "$1" --report-api-errors no --error-exitcode 1 "build/release/tests/cuda/$2" || [ $? -eq 77 ]
}

part "packages" tools/install_packages.sh
# The newest architecture is enough, and the oldest for the tests, which add it: each takes a minute to compile.
cuda=(-DADTR_CUDA=OFF)
[ -x "$(command -v nvcc)" ] || PATH="$PATH:/usr/local/cuda/bin"
# Older versions of nvcc do not know C++20.
if nvcc --version 2>/dev/null | grep -qE 'release (1[2-9]|[2-9][0-9])\.'; then
  cuda=(-DADTR_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=90)
else
  skipped+=("nvcc 12 or later was not found, so the CUDA backend was tested on the emulator alone")
fi
part "configure" cmake --preset release -DCMAKE_UNITY_BUILD=ON "${cuda[@]}"
part "build" cmake --build --preset release -j "$jobs"
part "test" ctest --preset release -j "$jobs"
if [ "${cuda[0]}" = -DADTR_CUDA=ON ]; then
  if ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
    skipped+=("no GPU was found, so the tests on a GPU were not run")
  elif [ ! -x "$(command -v compute-sanitizer)" ]; then
    skipped+=("compute-sanitizer was not found, so the tests on the GPU ran without it")
  else
    for tool in memcheck racecheck; do
      part "$tool on the GPU" sanitized "$tool" test_cuda_device
    done
    part "memcheck of the backend's tests" sanitized memcheck test_cuda_suite
    part "memcheck of whole networks" sanitized memcheck test_cuda_networks
  fi
fi
part "configure with sanitizers" cmake --preset sanitize -DCMAKE_UNITY_BUILD=ON
part "build with sanitizers" cmake --build --preset sanitize -j "$jobs"
part "test with sanitizers" ctest --preset sanitize -j "$jobs"
passed
