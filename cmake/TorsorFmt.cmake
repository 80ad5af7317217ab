# torsor_fmt: the compiled fmt library (its header-only form slows every file down). libtorch's folder of headers
# holds another version of fmt, so the headers of ours are put in front of it, by a link to their folder alone.
get_target_property(_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/fmt)
file(CREATE_LINK ${_fmt_include}/fmt ${CMAKE_BINARY_DIR}/fmt/fmt SYMBOLIC)
add_library(torsor_fmt INTERFACE)
target_include_directories(torsor_fmt BEFORE INTERFACE ${CMAKE_BINARY_DIR}/fmt)
target_link_libraries(torsor_fmt INTERFACE fmt::fmt)
