// What `torsor`, `torsor COMMAND --help` and docs/cli.md say, made from the declarations.
#pragma once

#include <string>
#include <vector>

#include "app/cli.h"

namespace torsor::app {

enum class HelpDepth { common, all };

/// The commands.
std::string overview();

/// Usage, examples and options of a command, in lines of at most `columns` where words allow it.
std::string help_text(const Command& command, HelpDepth depth, std::size_t columns);

/// docs/cli.md.
std::string cli_markdown();

/// How a person gives it: {"--flip", "--no-flip"}; of a flag that is off by default only {"--overwrite"}.
std::vector<std::string> shown_flags(const Option& option);

/// Writes a help text to standard output and returns the exit code. A reader that has seen enough of it
/// (`| head -1`) is no failure. Throws Error for any other.
int print_help(const std::string& text);

}  // namespace torsor::app
