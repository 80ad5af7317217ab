#include "app/cli.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>

#include "app/commands.h"
#include "core/error.h"
#include "core/text.h"

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

std::string default_text(const Option& option) {
  const Json& value = option.default_value();
  if (value.is_null() || (value.is_string() && value.get<std::string>().empty())) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  return value.dump();
}

std::string described(const Option& option) {
  std::string text = option.help();
  const std::string constraint = option.constraint(), standard = default_text(option);
  if (!constraint.empty() && !option.is_bool()) text += fmt::format(" ({})", constraint);
  if (!standard.empty()) text += fmt::format(" [{}]", standard);
  return text;
}

std::string flag_names(const Option& option) {
  return option.is_bool() ? fmt::format("--{0},!--no-{0}", kebab_case(option.name())) : option.flag();
}

void bind(CLI::App& app, Option& option) {
  if (option.is_hidden()) return;
  Option* const target = &option;
  CLI::Option* flag = nullptr;
  if (option.is_bool())
    flag = app.add_flag_function(
        flag_names(option), [target](std::int64_t count) { target->set(Json(count > 0), target->flag()); },
        described(option));
  else
    flag =
        app.add_option_function<std::string>(
               option.flag(), [target](const std::string& text) { target->set_text(text, target->flag()); },
               described(option))
            ->type_name(option.type_name());
  flag->group(option.group().empty() ? "Options" : option.group());
}

std::vector<std::string> flags_of(const OptionSet& options) {
  std::vector<std::string> flags = {"--help"};
  for (const Option& option : options.options()) {
    if (option.is_hidden()) continue;
    flags.push_back(option.flag());
    if (option.is_bool()) flags.push_back("--no-" + kebab_case(option.name()));
  }
  return flags;
}

// What CLI11 could not place: an unknown flag or a word too many.
[[noreturn]] void reject(const std::string& word, const Command& command) {
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

int run_command(const Command& command, std::vector<std::string> arguments) {
  CLI::App app(command.summary, "torsor " + command.name);
  app.allow_extras();
  for (Option& option : command.options->options()) bind(app, option);
  std::vector<std::string> positionals(command.positionals.size());
  for (std::size_t i = 0; i < positionals.size(); ++i)
    app.add_option(command.positionals[i].name, positionals[i], command.positionals[i].help);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ArgumentMismatch& e) {
    reject_count(e.what(), command);
  } catch (const CLI::ParseError& e) {
    fail_usage("{}; see torsor {} --help", e.what(), command.name);
  }
  if (!app.remaining().empty()) reject(app.remaining().front(), command);
  for (std::size_t i = 0; i < positionals.size(); ++i) {
    const Positional& wanted = command.positionals[i];
    if (positionals[i].empty() && wanted.need == Need::required)
      fail_usage("{} is missing: {}; see torsor {} --help", wanted.name, wanted.help, command.name);
  }
  return command.run(positionals);
}

std::string overview() {
  std::string text = "torsor: unpaired image-to-image translation\n\n";
  for (const Command& command : commands())
    text += fmt::format("  torsor {:<10} {}\n", command.name, command.summary);
  return text + "\ntorsor COMMAND --help lists a command's options.\n";
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::cerr << overview();
    return kUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::cout << overview();
    return 0;
  }
  if (words[0] == "--version") {
    std::cout << version_text() << '\n';
    return 0;
  }
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == words[0]) return run_command(command, {words.begin() + 1, words.end()});
    names.push_back(command.name);
  }
  fail_usage("unknown command '{}'{} (one of {})", words[0], did_you_mean(words[0], names), join(names));
}

// libtorch's messages go on for pages; the first line says what happened.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

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
  } catch (const std::bad_alloc&) {
    std::cerr << "torsor: out of memory; use smaller images, a smaller batch or a narrower network\n";
    return kFailure;
  } catch (const std::exception& e) {
    std::cerr << "torsor: " << first_line(e.what()) << '\n';
    return kFailure;
  }
}

std::string cli_markdown() {
  std::string text =
      "# The command line\n\nMade from the option declarations by `torsor docs`; do not edit.\n\n"
      "Flags are the options' names in kebab case; in a config file (`--config`) and in a run's "
      "`config.json` the same\n"
      "names stand with underscores. Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by "
      "Ctrl-C.\n";
  for (const Command& command : commands()) {
    text += fmt::format("\n## torsor {}", command.name);
    for (const Positional& p : command.positionals)
      text += p.need == Need::required ? " " + p.name : " [" + p.name + "]";
    text += fmt::format("\n\n{}\n", command.summary);
    for (const Positional& p : command.positionals) text += fmt::format("\n- `{}`: {}", p.name, p.help);
    if (!command.positionals.empty()) text += "\n";
    std::string group = "\n";
    for (const Option& option : command.options->options()) {
      if (option.is_hidden()) continue;
      if (option.group() != group) {
        group = option.group();
        text += fmt::format("\n{}| option | type | default | what it does |\n|---|---|---|---|\n",
                            group.empty() ? "" : "### " + group + "\n\n");
      }
      std::string help = option.help();
      if (!option.constraint().empty()) help += fmt::format(" ({})", option.constraint());
      const std::string standard = default_text(option);
      text += fmt::format(
          "| `{}` | {} | {} | {} |\n",
          option.is_bool() ? option.flag() + "`, `--no-" + kebab_case(option.name()) : option.flag(),
          option.type_name(), standard.empty() ? "" : "`" + standard + "`", help);
    }
  }
  return text;
}

}  // namespace torsor::app
