#include "app/cli.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "app/commands.h"
#include "app/failure.h"
#include "app/help.h"
#include "app/reference_flags.h"
#include "app/terminal.h"
#include "core/error.h"
#include "core/text.h"
#include "kernels/waiting.h"

namespace torsor::app {

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;

extern "C" void on_signal(int signal) {
  if (stop_flag().requested()) std::_Exit(128 + signal);
  stop_flag().request(signal);
}

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, not a silent death
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow further
}

// --flip and --no-flip, each of which may stand alone.
void bind_flag(CLI::App& app, Option& option) {
  Option* const target = &option;
  const std::string negation = "--no-" + kebab_case(option.name());
  const auto set = [target, negation](bool value) {
    return [target, negation, value](std::int64_t) {
      if (target->given()) fail_usage("{} and {} contradict each other; give one", target->flag(), negation);
      target->set(Json(value), target->flag());
    };
  };
  app.add_flag_function(option.flag(), set(true));
  app.add_flag_function(negation, set(false));
}

void bind(CLI::App& app, Option& option) {
  if (option.is_hidden()) return;
  if (option.is_bool()) return bind_flag(app, option);
  Option* const target = &option;
  app.add_option_function<std::string>(
      option.flag(), [target](const std::string& text) { target->set_text(text, target->flag()); });
}

std::vector<std::string> flags_of(const OptionSet& options) {
  std::vector<std::string> flags = {"--help", "--help-all"};
  for (const Option& option : options.options()) {
    if (option.is_hidden()) continue;
    flags.push_back(option.flag());
    if (option.is_bool()) flags.push_back("--no-" + kebab_case(option.name()));
  }
  return flags;
}

// What CLI11 could not place: flags of the reference, an unknown one, or a word too many.
[[noreturn]] void reject(const std::vector<std::string>& words, const Command& command) {
  const std::string translated = reference_advice(words);
  if (!translated.empty()) fail_usage("{}; see torsor {} --help-all", translated, command.name);
  const std::string& word = words.front();
  const std::string flag = word.substr(0, word.find('='));
  if (word.starts_with("-"))
    fail_usage("unknown option {}{}; see torsor {} --help", flag,
               did_you_mean(flag, flags_of(*command.options)), command.name);
  fail_usage("unexpected argument '{}'; see torsor {} --help", word, command.name);
}

// CLI11 says "--lr: 1 required number missing" and "--lr: At Most 1 required but received 2".
[[noreturn]] void reject_count(const std::string& message, const Command& command) {
  const std::string flag = message.substr(0, message.find(':'));
  if (message.find("received") != std::string::npos)
    fail_usage("{} is given twice; give it once; see torsor {} --help", flag, command.name);
  fail_usage("{} needs a value; see torsor {} --help", flag, command.name);
}

// Lines longer than this are hard to read.
std::size_t help_width() { return std::min<std::size_t>(100, terminal_width(Stream::output)); }

int run_command(const Command& command, std::vector<std::string> arguments) {
  CLI::App app(command.summary, "torsor " + command.name);
  app.allow_extras();
  app.set_help_all_flag("--help-all");
  if (command.prepare) command.prepare(arguments);
  for (Option& option : command.options->options()) bind(app, option);
  std::vector<std::string> positionals(command.positionals.size()), several;
  for (std::size_t i = 0; i < positionals.size(); ++i) {
    const Positional& wanted = command.positionals[i];
    if (wanted.need == Need::several)
      app.add_option(wanted.name, several, wanted.help);
    else
      app.add_option(wanted.name, positionals[i], wanted.help);
  }
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    app.parse(arguments);
  } catch (const CLI::CallForAllHelp&) {
    return print_help(help_text(command, HelpDepth::all, help_width()));
  } catch (const CLI::CallForHelp&) {
    return print_help(help_text(command, HelpDepth::common, help_width()));
  } catch (const CLI::ArgumentMismatch& e) {
    reject_count(e.what(), command);
  } catch (const CLI::ParseError& e) {
    fail_usage("{}; see torsor {} --help", e.what(), command.name);
  }
  if (!app.remaining().empty()) reject(app.remaining(), command);
  if (!several.empty()) {
    positionals.pop_back();
    positionals.insert(positionals.end(), several.begin(), several.end());
  }
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const Positional& wanted = command.positionals[i];
    if (positionals[i].empty() && wanted.need != Need::optional)
      fail_usage("{} is missing: {}; see torsor {} --help", wanted.name, wanted.help, command.name);
  }
  const WaitingPolicy waits;
  return command.run(positionals);
}

const Command& command_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  fail_usage("unknown command '{}'{} (one of {})", name, did_you_mean(name, names), join(names));
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::cerr << overview();
    return kUsage;
  }
  if (words[0] == "--help" || words[0] == "--help-all" || words[0] == "-h" || words[0] == "help") {
    if (words.size() == 1) return print_help(overview());
    return print_help(help_text(command_named(words[1]), HelpDepth::common, help_width()));
  }
  if (words[0] == "--version") return print_help(version_text() + "\n");
  return run_command(command_named(words[0]), {words.begin() + 1, words.end()});
}

}  // namespace

std::vector<const Option*> all_options(const Command& command) {
  std::vector<const Option*> out;
  const auto add = [&](const OptionSet& options) {
    for (const Option& option : options.options())
      if (std::none_of(out.begin(), out.end(), [&](const Option* o) { return o->name() == option.name(); }))
        out.push_back(&option);
  };
  add(*command.options);
  if (command.variants)
    for (const Variant& variant : command.variants()) add(*variant.options);
  return out;
}

StopFlag& stop_flag() {
  static StopFlag flag;  // a signal handler can reach nothing else
  return flag;
}

int main(int argc, char** argv) {
  install_signal_handlers();
  try {
    const int code = dispatch({argv + 1, argv + argc});
    if (!std::cout.flush()) fail("standard output: cannot be written; is its disk full or its reader gone?");
    return code;
  } catch (const UsageError& e) {
    std::cerr << "torsor: " << e.what() << '\n';
    return kUsage;
  } catch (const std::exception& e) {
    std::cerr << "torsor: " << explain(e) << '\n';
    return kFailure;
  }
}

}  // namespace torsor::app
