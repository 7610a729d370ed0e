#!/usr/bin/env bash
# Checks the layout of all C++ files with clang-format and the library's headers with clang-tidy. Both must be of
# version 14, that of Debian 12, because versions disagree. Changes nothing.
#
#   tools/check_style.sh            both
#   tools/check_style.sh format     clang-format, two seconds
#   tools/check_style.sh tidy       clang-tidy, less than a minute of one core
#
# Exit status: 0 nothing found, 1 something found, 2 wrong usage, 4 a tool is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=14
readonly tidy_seconds=600  # a limit for machines that are busy or slow

# Prints the command of a tool in the right version.
find_tool() {  # find_tool NAME
  local candidate
  for candidate in "$1-$version" "$1"; do
    if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q "version $version\."; then
      echo "$candidate"
      return
    fi
  done
  echo "check_style: $1 $version was not found; Debian 12 has it: tools/install_packages.sh $1" >&2
  return 4
}

sources() {
  find include runtime tests examples benchmarks cmake -type f \
    \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cuh' -o -name '*.cu' \) -print0 2>/dev/null || true
}

check_format() {
  local tool
  tool="$(find_tool clang-format)" || return
  if sources | xargs -0 "$tool" --dry-run -Werror; then
    echo "check_style: $(sources | tr -cd '\0' | wc -c) files have the layout of .clang-format"
  else
    echo "check_style: run clang-format -i on the files above" >&2
    return 1
  fi
}

# One file that includes the headers of some folders, so that what they share is read once.
check_tidy() {
  local tool work folders includes=(-Iinclude) packages
  tool="$(find_tool clang-tidy)" || return
  for packages in /usr/include/eigen3 /usr/include/stb; do includes+=("-isystem$packages"); done
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' RETURN
  for folders in "core io metrics report data weights" "nn models train backend backend/cpu ."; do
    for folder in $folders; do
      find "include/adtr/$folder" -maxdepth 1 -name '*.hpp' ! -path '*/backend/cuda.hpp' -printf '#include "%p"\n'
    done | sed 's|"include/|"|; s|/\./|/|' | sort >"$work/headers.cpp"
    timeout "$tidy_seconds" "$tool" --quiet --config-file=.clang-tidy "$work/headers.cpp" -- \
      -std=c++20 -DADTR_EXTERN_KERNELS "${includes[@]}" 2> >(grep -v 'warnings generated' >&2 || true) || return 1
    echo "check_style: clang-tidy finds nothing in $(wc -l <"$work/headers.cpp") headers of $folders"
  done
}

case "${1:-all}" in
  all) check_format && check_tidy ;;
  format) check_format ;;
  tidy) check_tidy ;;
  *) echo "usage: tools/check_style.sh [format|tidy]" >&2; exit 2 ;;
esac
