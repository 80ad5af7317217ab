#!/usr/bin/env bash
# make lint: the format of all sources, then clang-tidy with .clang-tidy. LINT="src/model/cut.cpp ..." checks these
# files alone. All of them took 15 minutes on one core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH"

# The sources are formatted with one version everywhere, since versions differ in what they make of a line.
clang-format --version 2>/dev/null | grep -q 'version 14\.' || .venv/bin/python -m pip install -q clang-format==14.0.6

tidy=$(command -v clang-tidy-14 || command -v clang-tidy || true)
if [[ -z $tidy ]]; then
  echo "lint: clang-tidy is missing; install it (Debian: apt-get install clang-tidy-14 libomp-14-dev) and run make lint again" >&2
  exit 1
fi

find src include examples tests bench \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 clang-format --dry-run -Werror
echo "lint: the format is right"

# Without GCC's precompiled header, which Clang cannot read. All of them are compiled several at once, as in the build:
# most of the time goes into libtorch's headers.
united=ON
[[ -z ${LINT:-} ]] || united=OFF
scripts/quietly.sh "lint: configuring build-lint" \
  cmake --preset dev -B build-lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTORSOR_UNITY=$united -DTORSOR_TESTS=OFF
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [[ -n ${LINT:-} ]]; then
  tr ' ' '\n' <<<"$LINT"
else
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' build-lint/compile_commands.json | grep -v /torch_header.cpp
fi | xargs -P "$(scripts/jobs.sh)" -I{} "$tidy" --quiet -p build-lint {} 2>"$log" || { grep -v 'warnings generated\|warning generated' "$log" >&2; exit 1; }
echo "lint: clang-tidy found nothing"
