# Part of setup.sh: libtorch. The record has the folder, the version with where it came from and, once Python was seen
# to import a torch, the word whole.

torch_release=${TORSOR_TORCH_VERSION:-2.13.0}
torch_minimum=2.6
# libtorch_cpu.so of a CUDA wheel names two NVIDIA libraries; the rest serves libtorch_cuda.so and Python alone. Their
# packages carried the major version in their names until CUDA 12.
torch_for_program='torch|nvidia-cuda-(runtime|cupti)(-cu[0-9]+)?'

# torch_version FOLDER: the release, as its wheel, its archive or its header names it.
torch_version() {
  local header
  if [[ -f $1/version.py ]]; then
    sed -n "s/^__version__ = '\(.*\)'/\1/p" "$1/version.py"
  elif [[ -f $1/build-version ]]; then
    head -n 1 "$1/build-version"
  else
    for header in "$1"/include/torch/{headeronly,csrc/api/include/torch}/version.h; do
      [[ -f $header ]] || continue
      sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' "$header" | paste -sd.
      return
    done
  fi
}

# torch_fault FOLDER: why this libtorch cannot be used; nothing when it can.
torch_fault() {
  local version
  if [[ ! -f $1/include/torch/csrc/api/include/torch/torch.h || ! -f $1/lib/libtorch_cpu.so ]]; then
    echo "it has no include/torch or no lib/libtorch_cpu.so"
    return
  fi
  version=$(torch_version "$1")
  if [[ $(printf '%s\n%s\n' "$torch_minimum" "${version%%+*}" | sort -V | head -n 1) != "$torch_minimum" ]]; then
    echo "it is version $version, and torsor needs $torch_minimum or newer"
  elif ! grep -qaE '_ZN3c105ErrorC[12]E[A-Za-z0-9_]*__cxx11' "$1/lib/libc10.so"; then
    echo "version $version of it was built with the old C++ ABI (_GLIBCXX_USE_CXX11_ABI=0), which no other library" \
         "here uses"
  fi
}

record_torch() { printf '%s\n%s (%s)\n' "$1" "$(torch_version "$1")" "$2" >"$torch_record"; }

torch_is_recorded() {
  local folder
  [[ -f $torch_record ]] && folder=$(sed -n 1p "$torch_record") && [[ -f $folder/lib/libtorch_cpu.so ]] &&
    [[ -z ${TORSOR_TORCH:-} || $TORSOR_TORCH -ef $folder ]]
}

# Takes a libtorch that the user named or that python3 already has, if there is one that can be used.
choose_user_torch() {
  local folder fault
  torch_is_recorded && return
  if [[ -n ${TORSOR_TORCH:-} ]]; then
    fault=$(torch_fault "$TORSOR_TORCH")
    [[ -z $fault ]] || fail "TORSOR_TORCH=$TORSOR_TORCH cannot be used: $fault."
    take_torch "$(cd "$TORSOR_TORCH" && pwd)" "named by TORSOR_TORCH"
    return
  fi
  while read -r folder; do
    fault=$(torch_fault "$folder")
    if [[ -z $fault ]]; then
      take_torch "$folder" "found in CMAKE_PREFIX_PATH"
      return
    fi
    say "not using the libtorch in $folder: $fault"
  done < <(torch_in_prefix_path)
  take_python_torch
}

# Folders of CMAKE_PREFIX_PATH that hold a torch. torch.utils.cmake_prefix_path, which people put there, ends in
# share/cmake.
torch_in_prefix_path() {
  local folder
  tr ':;' '\n\n' <<<"${CMAKE_PREFIX_PATH:-}" | while read -r folder; do
    folder=${folder%/}
    folder=${folder%/share/cmake}
    [[ -n $folder && -d $folder/include/torch ]] && echo "$folder"
  done || true
}

take_python_torch() {
  local python folder fault
  python=$(find_python)
  folder=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null) || return 0
  fault=$(torch_fault "$folder")
  if [[ -n $fault ]]; then
    say "not using the torch of $python: $fault"
    return
  fi
  take_torch "$folder" "of $python"
  make_venv
  show_torch_to_venv "$folder"
}

# The tests' Python sees a torch that lies elsewhere through a .pth file, behind what is in .venv itself.
show_torch_to_venv() {
  local site
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  dirname "$1" >"$site/torsor-torch.pth"
}

take_torch() {
  mkdir -p "$venv"
  record_torch "$1" "$2"
  say "taking libtorch $(sed -n 2p "$torch_record")"
}

install_torch() {
  torch_is_recorded && return
  local folder fault what="installing torch $torch_release (the tensor library) into .venv"
  if [[ $torch_extent == whole && -z ${TORSOR_TORCH_MINIMAL:-} ]]; then
    pip_install --say "$what" "torch==$torch_release"
  else
    pip_install --say "$what, as much of it as the program needs" --only "$torch_for_program" "torch==$torch_release"
  fi
  folder=$("$venv/bin/python" -c \
    'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])')
  fault=$(torch_fault "$folder")
  [[ -n $fault ]] || fault=$(libraries_missing_to "$folder")
  [[ -z $fault ]] || fail "the torch that pip installed cannot be used: $fault."
  take_torch "$folder" "from PyPI"
}

libraries_missing_to() {
  local missing
  missing=$(ldd "$1/lib/libtorch_cpu.so" 2>/dev/null | sed -n 's/ => not found//p' | sort -u | tr -s '\t\n' ' ')
  [[ -z $missing ]] || echo "it needs$missing, which its packages did not bring; scripts/setup.sh --whole-torch" \
                            "installs all of them"
}

# Adds what Python's torch and --device cuda need to a torch of ours, and records that nothing is missing.
complete_torch() {
  local folder version
  [[ $(sed -n 3p "$torch_record") == whole ]] && return
  folder=$(sed -n 1p "$torch_record")
  if [[ $folder != "$venv"/* || -n ${TORSOR_TORCH_MINIMAL:-} ]]; then
    python_imports_torch ||
      say "note: Python in .venv cannot import a torch; the tests and benchmarks that compare with it are left out"
    return
  fi
  version=$(torch_version "$folder")
  pip_install --say "completing torch $version in .venv, with which tests and benchmarks compare" \
    "torch==${version%%+*}"
  python_imports_torch || fail "Python cannot import that torch: $("$venv/bin/python" -c 'import torch' 2>&1 | tail -n 1)"
  echo whole >>"$torch_record"
}

python_imports_torch() { "$venv/bin/python" -c 'import torch' 2>/dev/null; }
