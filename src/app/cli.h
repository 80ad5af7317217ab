// The command line: subcommands, flags made from option declarations, help, exit codes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/stop.h"

namespace torsor::app {

enum class Need { required, optional, several };

/// An argument without a flag; an optional one that is not given is "". The last may be `several`: one or
/// more, each a word of its own in what the command receives.
struct Positional {
  std::string name, help;
  Need need = Need::required;
  std::vector<std::string> suggestions = {};  // for a shell to complete; none: files
};

/// The options of a command when one of them, as --model does, decides on the others.
struct Variant {
  std::string flags;  // "--model pix2pix"
  const OptionSet* options = nullptr;
};

/// One subcommand. `run` throws torsor::Error on failure and returns the exit code.
struct Command {
  std::string name;
  std::string summary;  // one line
  std::vector<Positional> positionals;
  OptionSet* options = nullptr;  // bound to the command's own structs
  std::function<int(const std::vector<std::string>& positionals)> run;
  std::vector<std::string> examples = {};  // command lines, for --help
  /// Called with the words of the command line before they are parsed: binds the options that they decide on.
  std::function<void(const std::vector<std::string>& words)> prepare = {};
  /// Others than what `options` are bound to at first; made when documentation or completion ask for them.
  std::function<std::vector<Variant>()> variants = {};
};

/// The command's options with those that only its variants have; for completion.
std::vector<const Option*> all_options(const Command& command);

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

/// Parses and runs. 0 success, 1 failure, 2 usage, 3 what --stop-on, --fail-on or --refuse ask for, 130/143
/// stopped by a signal.
int main(int argc, char** argv);

/// Set by SIGINT and SIGTERM; a second signal ends the program at once.
StopFlag& stop_flag();

}  // namespace torsor::app
