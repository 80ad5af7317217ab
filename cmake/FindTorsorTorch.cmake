# Finds libtorch without Torch's own CMake package, which refuses CUDA wheels on machines that have no CUDA
# toolkit. Takes the first of: TORSOR_TORCH (a libtorch folder, or the torch folder of a Python's site-packages;
# a CMake or an environment variable), the choice that scripts/setup.sh recorded, and CMAKE_PREFIX_PATH.
# Defines the target Torsor::Torch, and TorsorTorch_ROOT, TorsorTorch_VERSION and TorsorTorch_EXTRA_FOLDERS
# (where libraries lie that its own need). With TORSOR_CUDA the programs carry libtorch's CUDA half too.
option(TORSOR_CUDA "Link libtorch's CUDA half, which --device cuda needs" OFF)

set(_record ${CMAKE_CURRENT_LIST_DIR}/../.venv/torsor-torch)
set(_recorded)
file(REAL_PATH ${CMAKE_CURRENT_LIST_DIR}/../.venv _venv)
if(EXISTS ${_record})
  file(STRINGS ${_record} _recorded LIMIT_COUNT 1)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_record})
endif()
# Not cached: another choice must take effect in a build folder that exists.
find_path(TorsorTorch_ROOT include/torch/csrc/api/include/torch/torch.h
          HINTS ${TORSOR_TORCH} $ENV{TORSOR_TORCH} ${_recorded} ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH}
          NO_DEFAULT_PATH NO_CACHE)
if(NOT TorsorTorch_ROOT)
  message(FATAL_ERROR "No libtorch found. Run scripts/setup.sh, or set TORSOR_TORCH to a libtorch folder "
                      "(the one with include/ and lib/).")
endif()
file(REAL_PATH ${TorsorTorch_ROOT} TorsorTorch_ROOT)
get_filename_component(_beside ${TorsorTorch_ROOT} DIRECTORY)
set(_lib ${TorsorTorch_ROOT}/lib)

# The numbers moved from the second header to the first in 2.9.
set(TorsorTorch_VERSION)
foreach(_header headeronly/version.h csrc/api/include/torch/version.h)
  if(NOT TorsorTorch_VERSION AND EXISTS ${TorsorTorch_ROOT}/include/torch/${_header})
    file(STRINGS ${TorsorTorch_ROOT}/include/torch/${_header} _lines
         REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]")
    string(REGEX REPLACE "[^0-9;]+" "" _numbers "${_lines}")
    list(JOIN _numbers "." TorsorTorch_VERSION)
  endif()
endforeach()
if(TorsorTorch_VERSION VERSION_LESS 2.6)
  message(FATAL_ERROR "libtorch in ${TorsorTorch_ROOT} is version ${TorsorTorch_VERSION}; torsor needs 2.6 or "
                      "newer. Set TORSOR_TORCH to another, or run scripts/setup.sh without it.")
endif()

find_library(TorsorTorch_CPU torch_cpu HINTS ${_lib} NO_DEFAULT_PATH NO_CACHE REQUIRED)
find_library(TorsorTorch_C10 c10 HINTS ${_lib} NO_DEFAULT_PATH NO_CACHE REQUIRED)
file(STRINGS ${TorsorTorch_C10} _new_abi REGEX "_ZN3c105ErrorC[12]E.*__cxx11" LIMIT_COUNT 1)
if(NOT _new_abi)
  message(FATAL_ERROR "libtorch in ${TorsorTorch_ROOT} was built with the old C++ ABI (_GLIBCXX_USE_CXX11_ABI=0), "
                      "which no other library here uses. Set TORSOR_TORCH to one with the C++11 ABI, or run "
                      "scripts/setup.sh without it.")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorsorTorch REQUIRED_VARS TorsorTorch_ROOT TorsorTorch_CPU TorsorTorch_C10
                                  VERSION_VAR TorsorTorch_VERSION)
if(TARGET Torsor::Torch)
  return()
endif()

add_library(Torsor::Torch INTERFACE IMPORTED)
target_include_directories(Torsor::Torch SYSTEM INTERFACE
  ${TorsorTorch_ROOT}/include ${TorsorTorch_ROOT}/include/torch/csrc/api/include)
target_link_libraries(Torsor::Torch INTERFACE ${TorsorTorch_CPU} ${TorsorTorch_C10})

# at::parallel_for runs in parallel only in files compiled with OpenMP. Programs link the OpenMP runtime that
# libtorch brings, by its path: with the compiler's own a process would hold two, each with its threads.
# Clang's OpenMP would need such a second one; what Clang compiles runs on one thread between libtorch's own.
set(OpenMP_CXX_FLAGS)
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()
add_library(Torsor::OpenMP INTERFACE IMPORTED)
target_compile_options(Torsor::OpenMP INTERFACE ${OpenMP_CXX_FLAGS})
target_link_libraries(Torsor::Torch INTERFACE Torsor::OpenMP)
file(GLOB _openmp ${_lib}/libgomp*.so* ${_beside}/torch.libs/libgomp*.so* ${_lib}/libiomp5.so)
if(_openmp)
  list(GET _openmp 0 _openmp)
  get_filename_component(_openmp_folder ${_openmp} DIRECTORY)
  target_link_libraries(Torsor::OpenMP INTERFACE ${_openmp})
else()
  target_link_options(Torsor::OpenMP INTERFACE ${OpenMP_CXX_FLAGS})
endif()

# CUDA wheels find NVIDIA's libraries beside them, in wheels of their own. Flags rather than libraries, so that
# these folders stand behind torch's in the programs' search path.
file(GLOB _nvidia ${_beside}/nvidia/*/lib)
set(TorsorTorch_EXTRA_FOLDERS ${_openmp_folder} ${_nvidia})
foreach(_folder ${_nvidia})
  target_link_libraries(Torsor::Torch INTERFACE -Wl,-rpath,${_folder})
endforeach()

if(TORSOR_CUDA)
  # What scripts/setup.sh installs for the program alone lacks the libraries that libtorch_cuda needs.
  if(_recorded AND EXISTS ${_recorded})
    file(REAL_PATH ${_recorded} _ours)
    cmake_path(IS_PREFIX _venv ${_ours} NORMALIZE _in_venv)
    file(STRINGS ${_record} _whole REGEX "^whole$")
    if(_ours STREQUAL TorsorTorch_ROOT AND _in_venv AND NOT _whole)
      message(FATAL_ERROR "TORSOR_CUDA is on, but the torch in .venv holds only what the program needs on a CPU. Run "
                          "scripts/setup.sh --whole-torch, which adds the rest.")
    endif()
  endif()
  find_library(TorsorTorch_CUDA torch_cuda HINTS ${_lib} NO_DEFAULT_PATH NO_CACHE)
  if(NOT TorsorTorch_CUDA)
    message(FATAL_ERROR "TORSOR_CUDA is on, but libtorch in ${TorsorTorch_ROOT} is a CPU build (it has no "
                        "libtorch_cuda). Set TORSOR_TORCH to a CUDA build, or leave TORSOR_CUDA off.")
  endif()
  # Nothing refers to it by name: it registers itself when it is loaded.
  target_link_libraries(Torsor::Torch INTERFACE -Wl,--push-state,--no-as-needed,${TorsorTorch_CUDA},--pop-state)
endif()
