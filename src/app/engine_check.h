// What --engine check saw, for people.
#pragma once

#include <string>

namespace torch::nn {
class Module;
}

namespace torsor::app {

/// A line for each stretch of layers: who computed it, and how far a kernel's results were from libtorch's at
/// most.
std::string engine_check_text(const std::string& name, const torch::nn::Module& network);

}  // namespace torsor::app
