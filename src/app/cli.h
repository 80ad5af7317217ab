// The command line: subcommands, flags made from option declarations, help, exit codes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/stop.h"

namespace torsor::app {

enum class Need { required, optional };

/// An argument without a flag; an optional one that is not given is "".
struct Positional {
  std::string name, help;
  Need need = Need::required;
};

/// One subcommand. `run` throws torsor::Error on failure and returns the exit code.
struct Command {
  std::string name;
  std::string summary;  // one line
  std::vector<Positional> positionals;
  OptionSet* options = nullptr;  // bound to the command's own structs
  std::function<int(const std::vector<std::string>& positionals)> run;
};

/// A command's settings and the options bound to them; they live as long as the program.
template <class Settings>
class Bound {
 public:
  static Bound& instance() {
    static Bound bound;
    return bound;
  }

  Settings settings;
  OptionSet options;

 private:
  Bound() { settings.describe(options); }
};

/// All subcommands. The commands own their option structs for the life of the program.
std::vector<Command>& commands();

/// Parses and runs. 0 success, 1 failure, 2 usage, 130/143 stopped by a signal.
int main(int argc, char** argv);

/// docs/cli.md, made from the declarations.
std::string cli_markdown();

/// Set by SIGINT and SIGTERM; a second signal ends the program at once.
StopFlag& stop_flag();

}  // namespace torsor::app
