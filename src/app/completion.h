// Completion of the command line by shells, made from the declarations.
#pragma once

#include <string>

#include "app/cli.h"

namespace torsor::app {

/// torsor completion SHELL.
Command completion_command();

/// A script that bash reads. Throws nothing.
std::string bash_completion();

/// A function file for zsh's $fpath, by the name of _torsor.
std::string zsh_completion();

}  // namespace torsor::app
