#!/usr/bin/env bash
# Makes this machine ready to build and test torsor. `make` runs it before every target; when nothing is
# missing it needs no network and takes well under two seconds.
#
#   1. System packages: the list with reasons is scripts/packages.txt. On Debian and Ubuntu they are installed
#      when this may be done (as root, or with a sudo that asks for no password); otherwise the exact line to
#      run is printed and the set-up stops.
#   2. A Python environment in .venv with the packages of scripts/requirements.txt, for tests and benchmarks.
#   3. libtorch, from the first of these that is 2.6 or newer and has the C++11 ABI:
#        TORSOR_TORCH       a libtorch folder, or the torch folder of a Python's site-packages
#        CMAKE_PREFIX_PATH  the same, among other folders
#        python3            a torch that `python3` on the PATH can import
#        PyPI               torch of the version below, installed into .venv
#      The choice is kept in .venv/torsor-torch, where CMake reads it. Name another with TORSOR_TORCH, or
#      remove that file, to choose again.
#   4. CMake from PyPI into .venv where the system's is missing or older than 3.25.
#
# PyPI's torch for x86-64 Linux is the CUDA build, which brings several GB of NVIDIA libraries. The program needs
# torch's own package and two small ones of them; that is all that is installed, unless this is called with
#
#   scripts/setup.sh --whole-torch   completes it with what Python's torch and --device cuda need
#
# as `make test`, `make bench` and a build with TORSOR_CUDA do. What is whole stays whole. The sizes of downloads are
# said beforehand. Settings:
#   TORSOR_TORCH_MINIMAL=1   never complete it; the tests that compare with Python's torch skip
#   TORSOR_TORCH_VERSION     another torch release from PyPI
#   PIP_EXTRA_INDEX_URL      pip's own setting, for an index that has a CPU wheel of torch (PyTorch's own is
#                            https://download.pytorch.org/whl/cpu), of which the whole is small
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
  "") torch_extent=program ;;
  --whole-torch) torch_extent=whole ;;
  *) printf 'setup: unknown argument %s; there is --whole-torch alone\n' "$1" >&2; exit 2 ;;
esac
venv=$root/.venv
torch_record=$venv/torsor-torch
python_record=$venv/torsor-python
# make puts .venv first; the search for what the machine itself has must not find it.
system_path=${PATH//"$venv/bin:"/}

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }
trim() { local text=$1; text=${text#"${text%%[![:space:]]*}"}; printf '%s' "${text%"${text##*[![:space:]]}"}"; }

# shellcheck source=scripts/setup-system.sh
source "$root/scripts/setup-system.sh"
# shellcheck source=scripts/setup-torch.sh
source "$root/scripts/setup-torch.sh"

# The Python that .venv is made from: torch's wheels need 3.10 or newer.
find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if PATH=$system_path "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' \
        2>/dev/null; then
      PATH=$system_path command -v "$name"
      return
    fi
  done
  fail "no python3 of version 3.10 or newer with its venv module was found, and torch has wheels for no older" \
       "one. Debian 12 and Ubuntu 22.04 have one (apt-get install python3-venv)."
}

make_venv() {
  [[ -x $venv/bin/python ]] && "$venv/bin/python" -c 'import pip' 2>/dev/null && return
  local python
  python=$(find_python)
  say "making a Python environment in .venv with $python"
  "$python" -m venv "$venv"
  # Older ones download everything before they can tell what they would download.
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet 'pip>=23.3' </dev/null ||
    say "pip could not be renewed, so that it tells sizes only after a download"
}

pip_install() {
  "$venv/bin/python" "$root/scripts/install-packages.py" "$@" ||
    fail "pip could not install: $*" "Its own message above says why; run make again when that is mended."
}

install_python_packages() {
  local wanted=$root/scripts/requirements.txt
  cmp -s "$wanted" "$python_record" && return
  pip_install --say "installing the Python packages of the tests (scripts/requirements.txt) into .venv" -r "$wanted"
  cp "$wanted" "$python_record"
}

cmake_is_new_enough() {
  local version
  version=$(PATH=$1 cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9.]*\).*/\1/p') || return 1
  [[ -n $version ]] && [[ $(printf '3.25\n%s\n' "$version" | sort -V | head -n 1) == 3.25 ]]
}

install_cmake() {
  [[ -x $venv/bin/cmake ]] && return
  cmake_is_new_enough "$system_path" && return
  pip_install --say "installing CMake into .venv (the system has none, or one older than 3.25)" 'cmake>=3.25,<5'
}

install_system_packages
choose_user_torch
make_venv
install_python_packages
install_torch
if [[ $torch_extent == whole ]]; then complete_torch; fi
install_cmake
say "ready; libtorch $(sed -n 2p "$torch_record") in $(sed -n 1p "$torch_record")"
