#!/usr/bin/env bash
# quietly.sh WORDS COMMAND...: says WORDS and runs the command; what that prints is shown only when it fails.
set -u
words=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '%s\n' "$words"
"$@" >"$log" 2>&1
code=$?
[[ $code -eq 0 ]] || cat "$log" >&2
exit "$code"
