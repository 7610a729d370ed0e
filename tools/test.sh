#!/usr/bin/env bash
# Installs what is missing, builds and runs every test; then the unit tests under the sanitizers. --quick leaves these out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  *) echo "usage: tools/test.sh [--quick]" >&2; exit 2 ;;
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

sanitized() {  # sanitized TOOL PROGRAM: a program that leaves its tests out ends with 77. Some make errors on purpose.
  compute-sanitizer --tool "$1" --report-api-errors no --error-exitcode 1 "build/release/tests/cuda/$2" || [ $? -eq 77 ]
}

part "packages" tools/install_packages.sh
# The oldest and the newest of the architectures: each costs a minute.
cuda=(-DADTR_CUDA=OFF)
[ -x "$(command -v nvcc)" ] || PATH="$PATH:/usr/local/cuda/bin"
# Older ones have no C++20.
if nvcc --version 2>/dev/null | grep -qE 'release (1[2-9]|[2-9][0-9])\.'; then
  cuda=(-DADTR_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=75-real;90")
else
  skipped+=("nvcc 12 or later was not found, so nothing of CUDA was built but the emulator's tests")
fi
part "configure" cmake --preset release -DADTR_UNITY_TESTS=ON "${cuda[@]}"
part "build" cmake --build --preset release -j "$jobs"
part "test" ctest --preset release -j "$jobs"
if [ "${cuda[0]}" = -DADTR_CUDA=ON ]; then
  if ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
    skipped+=("there is no GPU, so the tests on a device were left out")
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
if ! $quick; then
  part "configure with sanitizers" cmake --preset sanitize -DADTR_UNITY_TESTS=ON
  part "build with sanitizers" cmake --build --preset sanitize -j "$jobs"
  part "test with sanitizers" ctest --preset sanitize -j "$jobs"
fi

echo "=== all passed"
printf '%s\n' "${times[@]}" ${skipped[@]+"${skipped[@]}"}
