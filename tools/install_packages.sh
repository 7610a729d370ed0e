#!/usr/bin/env bash
# Installs the packages that adtr's build and tests need and that this Debian or Ubuntu machine lacks. Asks no server if
# none is missing. On other systems CMake fetches the libraries; the user installs a compiler, cmake and ninja.
# With --quick: leaves out what only `tools/test.sh --all` needs. With other arguments: installs these packages instead.
set -euo pipefail

packages=(g++ binutils cmake ninja-build git ca-certificates python3 libeigen3-dev libxtensor-dev libstb-dev
          libcli11-dev nlohmann-json3-dev catch2 libbenchmark-dev)
case "${1:-}" in
  "") packages+=(clang clang-format clang-tidy doxygen doxygen-awesome-css universal-ctags valgrind) ;;
  --quick) ;;
  *) packages=("$@") ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "install_packages: apt-get was not found; adtr needs a C++20 compiler, cmake 3.25 or later, ninja and python3."
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  if [[ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" != "install ok installed" ]]; then
    missing+=("$package")
  fi
done
if ((${#missing[@]} == 0)); then
  echo "install_packages: all ${#packages[@]} packages are installed."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "install_packages: packages can be installed only as root or with sudo; if the build fails, install ${missing[*]}"
    exit 0
  fi
  as_root=(sudo)
fi
echo "install_packages: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# debconf's notes, for example that apt-utils is missing, say nothing about the result.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
  2>&1 >/dev/null | { grep -v '^debconf: ' >&2 || true; }
echo "install_packages: installed ${#missing[@]} packages."
