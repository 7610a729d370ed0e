#!/usr/bin/env bash
# Installs what building and testing adtr needs and this Debian (or Ubuntu) machine lacks. Asks no server when nothing
# is missing. Elsewhere CMake fetches the libraries, and a compiler, cmake and ninja are the user's to install.
# With arguments: these packages instead.
set -euo pipefail

packages=(g++ clang binutils cmake ninja-build git ca-certificates python3 libeigen3-dev libxtensor-dev libstb-dev
          libcli11-dev nlohmann-json3-dev catch2 libbenchmark-dev doxygen universal-ctags
          valgrind)
if (($# > 0)); then
  packages=("$@")
fi

if ! command -v apt-get >/dev/null; then
  echo "install_packages: no apt-get here; needed are a C++20 compiler, cmake >= 3.25, ninja and python3."
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  if [[ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" != "install ok installed" ]]; then
    missing+=("$package")
  fi
done
if ((${#missing[@]} == 0)); then
  echo "install_packages: all ${#packages[@]} packages are here."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "install_packages: not root and no sudo; if the build fails, install: ${missing[*]}"
    exit 0
  fi
  as_root=(sudo)
fi
echo "install_packages: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# debconf's notes, for example that apt-utils is missing, say nothing about the result.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
  >/dev/null 2> >(grep -v '^debconf: ' >&2 || true)
