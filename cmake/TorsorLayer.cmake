# torsor_layer(NAME [TORCH] [SEPARATE] [LINK ...])
# One static library per folder of src/. TORCH layers share one precompiled torch header. The files of a SEPARATE one
# are never compiled together.
function(torsor_layer name)
  cmake_parse_arguments(LAYER "TORCH;SEPARATE" "" "LINK" ${ARGN})
  set(target torsor_${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/app/main\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "src/${name} has no sources")
  endif()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(${target} ${LAYER_LINK})
  if(LAYER_TORCH)
    target_link_libraries(${target} PUBLIC Torsor::Torch)
    torsor_use_torch_header(${target})
  endif()
  if(NOT LAYER_SEPARATE)
    torsor_unite(${target})
  endif()
endfunction()

# Not torch/torch.h: its pending templates slow every file down even when precompiled. These headers are slow to
# precompile, so all targets reuse one copy.
function(torsor_use_torch_header target)
  if(NOT TARGET torsor_torch_header)
    set(stub ${CMAKE_BINARY_DIR}/torch_header.cpp)
    file(WRITE ${stub}.new "// carries the precompiled header only\n")
    configure_file(${stub}.new ${stub} COPYONLY)
    add_library(torsor_torch_header STATIC ${stub})
    target_link_libraries(torsor_torch_header PUBLIC Torsor::Torch torsor_fmt nlohmann_json::nlohmann_json)
    target_precompile_headers(torsor_torch_header PRIVATE
      <torch/types.h> <torch/autograd.h> <torch/nn/module.h> <torch/optim/optimizer.h>
      <fmt/format.h> <nlohmann/json.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM torsor_torch_header)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    # CMake gives programs -fPIE, with which the compiler passes over the header of the -fPIC libraries.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# Reading the precompiled torch header costs every compilation about 3 s, more than most files take themselves; with
# more files at once a compiler would need more than the 2 GB that scripts/jobs.sh counts on.
function(torsor_unite target)
  if(TORSOR_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()
