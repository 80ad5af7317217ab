# The library for other programs, and what `cmake --install` puts where:
#   bin/torsor, include/torsor/, lib/libtorsor.so, lib/cmake/torsor/ (find_package), lib/pkgconfig/torsor.pc,
#   share/bash-completion/completions/torsor, share/zsh/site-functions/_torsor
# The component `libtorch` (not installed by default) adds copies of libtorch's libraries in lib/torsor/, after
# which the prefix needs nothing but the system.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_exports ${CMAKE_CURRENT_SOURCE_DIR}/src/api/exports.map)
add_library(torsor_shared SHARED $<TARGET_OBJECTS:torsor_api>)
add_library(torsor::torsor ALIAS torsor_shared)
target_link_libraries(torsor_shared PRIVATE torsor_infer)
target_link_options(torsor_shared PRIVATE LINKER:--version-script=${_exports} LINKER:--as-needed LINKER:--no-undefined)
target_include_directories(torsor_shared PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(torsor_shared INTERFACE cxx_std_17)
set_target_properties(torsor_shared PROPERTIES
  OUTPUT_NAME torsor EXPORT_NAME torsor VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS ${_exports} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# libtorch is looked for beside the library, in the prefix, and then where it was when this was built.
set(_torch ${TorsorTorch_ROOT}/lib ${TorsorTorch_EXTRA_FOLDERS})
set_target_properties(torsor_shared PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/torsor;${_torch}")
set_target_properties(torsor PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/torsor;${_torch}")

set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/torsor)
install(TARGETS torsor)
install(TARGETS torsor_shared EXPORT torsorTargets)
install(DIRECTORY include/torsor TYPE INCLUDE)
install(FILES LICENSE TYPE DOC)
# Completion by shells, from the program's own declarations.
install(CODE "
  foreach(shell_file IN ITEMS bash:torsor zsh:_torsor)
    string(REPLACE \":\" \";\" parts \${shell_file})
    list(GET parts 0 shell)
    list(GET parts 1 file)
    execute_process(COMMAND \"$<TARGET_FILE:torsor>\" completion \${shell}
                    OUTPUT_FILE \"${CMAKE_BINARY_DIR}/\${file}.completion\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(FILES ${CMAKE_BINARY_DIR}/torsor.completion RENAME torsor
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_BINARY_DIR}/_torsor.completion RENAME _torsor
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(EXPORT torsorTargets NAMESPACE torsor:: DESTINATION ${_package})
configure_package_config_file(cmake/torsorConfig.cmake.in ${CMAKE_BINARY_DIR}/torsorConfig.cmake
  INSTALL_DESTINATION ${_package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/torsorConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/torsorConfig.cmake ${CMAKE_BINARY_DIR}/torsorConfigVersion.cmake
              cmake/FindTorsorTorch.cmake DESTINATION ${_package})
configure_file(cmake/torsor.pc.in ${CMAKE_BINARY_DIR}/torsor.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/torsor.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The libraries that the system's folders do not have are libtorch's and those it brings.
set(_copy [[
  file(GET_RUNTIME_DEPENDENCIES LIBRARIES "@library@" RESOLVED_DEPENDENCIES_VAR needed
       UNRESOLVED_DEPENDENCIES_VAR missing DIRECTORIES @folders@ POST_EXCLUDE_REGEXES "^/(usr/)?lib(64)?/")
  if(missing)
    message(FATAL_ERROR "not found: ${missing}")
  endif()
  file(INSTALL ${needed} DESTINATION "${CMAKE_INSTALL_PREFIX}/@CMAKE_INSTALL_LIBDIR@/torsor" FOLLOW_SYMLINK_CHAIN)
]])
set(library $<TARGET_FILE:torsor_shared>)
set(folders ${_torch})
string(CONFIGURE "${_copy}" _copy @ONLY)
install(CODE "${_copy}" COMPONENT libtorch EXCLUDE_FROM_ALL)
