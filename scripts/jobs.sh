#!/usr/bin/env bash
# Prints how many compilers to run at once: one a core, but no more than memory allows, since a file that
# includes torch takes close to 2 GB to compile.
set -euo pipefail
cores=$(getconf _NPROCESSORS_ONLN)
memory_kb=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || true)
by_memory=$(( ${memory_kb:-2000000} / 2000000 ))
jobs=$(( by_memory < cores ? by_memory : cores ))
echo $(( jobs > 0 ? jobs : 1 ))
