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

part() {  # part NAME COMMAND...
  local name="$1" begin="$SECONDS"
  shift
  echo "=== $name"
  "$@"
  times+=("$(printf '%5d s  %s' "$((SECONDS - begin))" "$name")")
}

part "packages" tools/install_packages.sh
part "configure" cmake --preset release -DADTR_UNITY_TESTS=ON
part "build" cmake --build --preset release -j "$jobs"
part "test" ctest --preset release -j "$jobs"
if ! $quick; then
  part "configure with sanitizers" cmake --preset sanitize -DADTR_UNITY_TESTS=ON
  part "build with sanitizers" cmake --build --preset sanitize -j "$jobs"
  part "test with sanitizers" ctest --preset sanitize -j "$jobs"
fi

echo "=== all passed"
printf '%s\n' "${times[@]}"
