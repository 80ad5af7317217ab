// Who computed the layers of a network, for people: --verbose, --engine check, inspect.
#pragma once

#include <string>

namespace torch::nn {
class Module;
}

namespace torsor::app {

/// One line of such a list: "kernel", "libtorch", or how far a kernel's results are from libtorch's; the
/// layers.
std::string path_line(const std::string& by, const std::string& layers);

/// Of a watched network, or one with Engine::check: a line for each stretch of layers.
std::string engine_report(const std::string& name, const torch::nn::Module& network);

}  // namespace torsor::app
