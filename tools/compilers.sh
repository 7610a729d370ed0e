#!/usr/bin/env bash
# Compiles adtr with several compilers, standard libraries, optimisations and versions of xtensor, every warning an
# error, and prints a table. docs/compilers.md says what the rows are.
#   --quick        only the rows of continuous integration: no -O3, and no whole program
#   --only REGEX   only the rows that match, for example 'clang 19.*libc\+\+'
#   --xtensor DIR  also these versions: DIR holds xtensor-0.27.1/ and xtl-0.8.2/, as their archives unpack
#   --install      first installs clang 14 and 19 with apt, and libc++ of both under build/compilers
# A compiler or library that is not there makes a row "skipped". Exits with 1 if a row fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false only=. packages="" install=false
while (($# > 0)); do
  case "$1" in
    --quick) quick=true ;;
    --install) install=true ;;
    --only) only="${2:?--only needs a regular expression}" && shift ;;
    --xtensor) packages="${2:?--xtensor needs a folder}" && shift ;;
    *) echo "usage: tools/compilers.sh [--quick] [--install] [--only REGEX] [--xtensor DIR]" >&2; exit 2 ;;
  esac
  shift
done

work=build/compilers
mkdir -p "$work"
if $install; then
  tools/install_packages.sh g++ clang-14 clang-19 libeigen3-dev libxtensor-dev libstb-dev
  # Debian installs one version of libc++ only, so both are unpacked instead.
  for version in 14 19; do
    (cd "$work" && apt-get download "libc++-$version-dev" && dpkg -x libc++-"$version"-dev_*.deb "libc++-$version")
  done
fi

(cd include && find adtr -name '*.hpp' ! -name '*.inl.hpp' | sort | sed 's/.*/#include "&"/') >"$work/all_headers.cpp"
common=(-std=c++20 -pthread -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror -Iinclude
        -isystem /usr/include/eigen3 -isystem /usr/include/stb)
stack=(-Wframe-larger-than=65536) # bytes in any function: threads may have small stacks

rows=() failed=0

libcxx() { # libcxx VERSION: the folder of its headers
  local folder
  for folder in "$work/libc++-$1/usr/lib/llvm-$1/include/c++/v1" "/usr/lib/llvm-$1/include/c++/v1"; do
    [ -d "$folder" ] && echo "$folder" && return
  done
  return 1
}

row() { # row COMPILER LIBRARY OPTIMISATION XTENSOR WHAT FILE OPTION...
  local compiler="$1" library="$2" optimisation="$3" xtensor="$4" what="$5" file="$6" result begin="$SECONDS" folder
  shift 6
  local title="$compiler | $library | $optimisation | $xtensor | $what"
  [[ "$title" =~ $only ]] || return 0
  local command version="${compiler#* }"
  case "$compiler" in
    g++*) command=("g++-$version" "${common[@]}" -Wstack-usage=65536) ;;
    *) command=("clang++-$version" "${common[@]}") ;;
  esac
  # "text" + std::string: bug 105651 of g++ 12
  [[ "$compiler" != "g++ 12" ]] || command+=(-Wno-restrict)
  if [[ "$library" == libc++ ]]; then
    if ! folder="$(libcxx "$version")"; then
      rows+=("| $title | skipped: libc++ $version is not installed |")
      return 0
    fi
    command+=(-nostdinc++ -isystem "$folder")
  fi
  if [[ "$xtensor" != system ]]; then
    local xtl=0.7
    [[ "$xtensor" =~ ^0\.2[45] ]] || xtl=0.8
    folder="$(find "$packages" -maxdepth 1 -name "xtl-$xtl.*" | sort -V | tail -n 1)"
    command+=(-isystem "$packages/xtensor-$xtensor/include" -isystem "$folder/include")
  fi
  if ! command -v "${command[0]}" >/dev/null; then
    rows+=("| $title | skipped: ${command[0]} is not installed |")
    return 0
  fi
  echo "$title" >&2
  if "${command[@]}" "$@" "$file" >"$work/log" 2>&1; then
    result="clean, $((SECONDS - begin)) s"
  else
    failed=1
    result="FAILED"
    head -n 40 "$work/log" >&2
  fi
  rows+=("| $title | $result |")
}

object() { # object COMPILER LIBRARY OPTIMISATION FILE
  row "$1" "$2" "$3" system "$4" "$4" "$3" -DNDEBUG "${stack[@]}" -c -o "$work/object.o"
}

gcc="g++ $(g++ -dumpversion | cut -d. -f1)"
for compiler in "$gcc" "clang 14" "clang 19"; do
  for library in libstdc++ libc++; do
    [[ "$compiler $library" != g++*libc++ || "$library" == libstdc++ ]] || continue
    row "$compiler" "$library" syntax system "all headers" "$work/all_headers.cpp" -fsyntax-only
  done
  row "$compiler" libstdc++ syntax system "all headers after windows.h's macros" tests/headers/macros.cpp \
    -fsyntax-only -std=gnu++20 -Wno-pedantic
done
if [[ -n "$packages" ]]; then
  for folder in "$packages"/xtensor-*; do
    for compiler in "$gcc" "clang 19"; do
      row "$compiler" libstdc++ syntax "${folder##*/xtensor-}" "all headers" "$work/all_headers.cpp" -fsyntax-only
    done
  done
fi
object "$gcc" libstdc++ -O2 cmake/kernels.cpp
object "$gcc" libstdc++ -O2 cmake/functions.cpp
object "clang 19" libstdc++ -O2 cmake/kernels.cpp
object "clang 19" libstdc++ -O2 cmake/functions.cpp
if ! $quick; then
  object "clang 14" libstdc++ -O2 cmake/kernels.cpp
  object "clang 14" libstdc++ -O2 cmake/functions.cpp
  object "$gcc" libstdc++ -O3 cmake/kernels.cpp
  object "$gcc" libstdc++ -O3 cmake/functions.cpp
  object "clang 19" libc++ -O3 cmake/kernels.cpp
  object "clang 19" libc++ -O3 cmake/functions.cpp
  object "$gcc" libstdc++ -O2 examples/02_train.cpp
  object "clang 14" libstdc++ -O2 examples/02_train.cpp
  object "clang 19" libstdc++ -O2 examples/02_train.cpp
  object "clang 19" libc++ -O2 examples/02_train.cpp
  object "$gcc" libstdc++ -O3 examples/02_train.cpp
  object "clang 19" libstdc++ -O3 examples/02_train.cpp
fi

echo "| compiler | library | optimisation | xtensor | compiled | result |"
echo "| --- | --- | --- | --- | --- | --- |"
printf '%s\n' "${rows[@]}"
exit "$failed"
