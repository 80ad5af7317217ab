#include "app/help.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "app/terminal.h"
#include "core/error.h"
#include "core/text.h"

namespace torsor::app {

namespace {

std::string default_text(const Option& option) {
  const Json& value = option.default_value();
  if (value.is_null() || (value.is_string() && value.get<std::string>().empty())) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  return value.dump();
}

bool is_off_by_default(const Option& option) {
  return option.is_bool() && option.default_value() == Json(false);
}

std::string described(const Option& option) {
  std::string text = option.help();
  const std::string constraint = option.constraint(), standard = default_text(option);
  if (!constraint.empty() && !option.is_bool()) text += fmt::format(" ({})", constraint);
  if (!standard.empty() && !is_off_by_default(option)) text += fmt::format(" [{}]", standard);
  return text;
}

// Whether runs of the command can be resumed, so that it matters which options may change.
bool resumes(const Command& command) { return command.options->find("resume") != nullptr; }

std::string name_column(const Command& command, const Option& option) {
  std::string text = join(shown_flags(option));
  if (!option.is_bool()) text.append(" ").append(upper(option.type_name()));
  return resumes(command) && option.is_changeable() ? text + " *" : text;
}

// Two columns: what is given, and what it does.
class Table {
 public:
  explicit Table(std::size_t columns) : columns_(columns) {}

  std::string row(const std::string& name, const std::string& text) const {
    constexpr std::size_t kSecond = 30;
    std::string line = "  " + name;
    if (line.size() + 2 > kSecond)
      line.append("\n").append(kSecond, ' ');
    else
      line.resize(kSecond, ' ');
    const std::size_t start = line.rfind('\n') == std::string::npos ? 0 : line.rfind('\n') + 1;
    return line.substr(0, start) + wrap(line.substr(start) + text, columns_, kSecond) + "\n";
  }

 private:
  std::size_t columns_;
};

std::string usage_word(const Positional& p) {
  if (p.need == Need::optional) return fmt::format(" [{}]", p.name);
  return p.need == Need::several ? fmt::format(" {}...", p.name) : " " + p.name;
}

std::string usage_of(const Command& command) {
  std::string text = "usage: torsor " + command.name;
  if (!command.options->options().empty()) text += " [OPTIONS]";
  for (const Positional& p : command.positionals) text += usage_word(p);
  return text + "\n";
}

// Whether --help leaves anything out.
bool is_long(const Command& command) {
  const auto& options = command.options->options();
  const auto common =
      std::count_if(options.begin(), options.end(), [](const Option& o) { return o.is_common(); });
  constexpr std::ptrdiff_t kScreen = 14;  // as many need no choice
  return common > 0 && std::ssize(options) > kScreen;
}

std::string option_rows(const Command& command, HelpDepth depth, const Table& table) {
  const bool some = depth == HelpDepth::common && is_long(command);
  std::string text, group;
  for (const Option& option : command.options->options()) {
    if (option.is_hidden() || (some && !option.is_common())) continue;
    if (!some && option.group() != group) {
      group = option.group();
      text += "\n" + group + ":\n";
    }
    text += table.row(name_column(command, option), described(option));
  }
  return text;
}

const Option* find(const OptionSet& options, const std::string& name) {
  for (const Option& option : options.options())
    if (option.name() == name) return &option;
  return nullptr;
}

bool has_alike(const OptionSet& options, const Option& wanted) {
  const Option* option = find(options, wanted.name());
  return option != nullptr && option->help() == wanted.help() &&
         option->default_value() == wanted.default_value();
}

std::string markdown_row(const Command& command, const Option& option) {
  std::string help = option.help();
  if (!option.constraint().empty()) help += fmt::format(" ({})", option.constraint());
  const std::string standard = default_text(option);
  return fmt::format("| `{}`{} | {} | {} | {} |\n", join(shown_flags(option), "`, `"),
                     resumes(command) && option.is_changeable() ? " \\*" : "", option.type_name(),
                     standard.empty() ? "" : "`" + standard + "`", help);
}

// Those of `options` that differ from what `base` has under their names; all where it is null.
std::string option_tables(const Command& command, const OptionSet& options, const std::string& title,
                          const OptionSet* base = nullptr) {
  std::string text, group = "\n";
  for (const Option& option : options.options()) {
    if (option.is_hidden() || (base != nullptr && has_alike(*base, option))) continue;
    if (option.group() != group) {
      group = option.group();
      const std::string heading = group + title;
      text += fmt::format("\n{}| option | type | default | what it does |\n|---|---|---|---|\n",
                          heading.empty() ? "" : "### " + heading + "\n\n");
    }
    text += markdown_row(command, option);
  }
  return text;
}

std::string variant_tables(const Command& command, const Variant& variant) {
  std::vector<std::string> absent;
  for (const Option& option : command.options->options())
    if (!option.is_hidden() && find(*variant.options, option.name()) == nullptr)
      absent.push_back(option.flag());
  std::string text = option_tables(command, *variant.options, " of " + variant.flags, command.options);
  if (!absent.empty())
    text += fmt::format("\nNot with {}: `{}`. All others are those above.\n", variant.flags,
                        join(absent, "`, `"));
  return text;
}

}  // namespace

std::vector<std::string> shown_flags(const Option& option) {
  if (!option.is_bool() || is_off_by_default(option)) return {option.flag()};
  return {option.flag(), "--no-" + kebab_case(option.name())};
}

std::string overview() {
  std::string text = "torsor: unpaired image-to-image translation\n\n";
  for (const Command& command : commands())
    text += fmt::format("  torsor {:<10} {}\n", command.name, command.summary);
  return text +
         "\nto begin:\n"
         "  torsor train --a photos/horses --b photos/zebras --preset laptop --out runs/zebras\n"
         "  torsor translate runs/zebras photos/horses translated\n"
         "\ntorsor COMMAND --help lists the common options of a command, --help-all all of them.\n";
}

std::string help_text(const Command& command, HelpDepth depth, std::size_t columns) {
  const Table table(columns);
  std::string text = usage_of(command) + "\n" + wrap(command.summary, columns, 0) + ".\n";
  if (!command.examples.empty()) text += command.examples.size() == 1 ? "\nexample:\n" : "\nexamples:\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  if (!command.positionals.empty()) text += "\n";
  for (const Positional& p : command.positionals) text += table.row(p.name, p.help);
  const bool some = depth == HelpDepth::common && is_long(command);
  text += some ? fmt::format("\ncommon options (torsor {} --help-all lists all):\n", command.name)
               : "\noptions:\n";
  text += table.row("-h, --help", is_long(command) ? "show the common options" : "show this");
  if (is_long(command)) text += table.row("--help-all", "show all options");
  text += option_rows(command, depth, table);
  if (resumes(command)) text += "\n* may have a new value when a run is resumed (--resume).\n";
  return text;
}

int print_help(const std::string& text) {
  std::cout << std::flush;
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) return 0;
    if (n <= 0) fail("standard output: cannot be written: {}", std::strerror(errno));
    at += static_cast<std::size_t>(n);
  }
  return 0;
}

std::string cli_markdown() {
  std::string text =
      "# The command line\n\nMade from the option declarations by `torsor docs`; do not edit.\n\n"
      "Flags are the options' names in kebab case; in a config file (`--config`) and in a run's "
      "`config.json` the same\n"
      "names have underscores. A flag that takes no value has a form with `--no-` before its name, "
      "which switches it off.\n"
      "Options marked \\* may have a new value when a run is resumed (`--resume`). `--help` lists the common "
      "options, `--help-all`\nall of them. Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by "
      "Ctrl-C.\n";
  for (const Command& command : commands()) {
    text += fmt::format("\n## torsor {}", command.name);
    for (const Positional& p : command.positionals) text += usage_word(p);
    text += fmt::format("\n\n{}\n", command.summary);
    for (const Positional& p : command.positionals) text += fmt::format("\n- `{}`: {}", p.name, p.help);
    if (!command.positionals.empty()) text += "\n";
    if (!command.examples.empty()) text += "\n";
    for (const std::string& example : command.examples) text += "    " + example + "\n";
    text += option_tables(command, *command.options, "");
    if (command.variants)
      for (const Variant& variant : command.variants()) text += variant_tables(command, variant);
  }
  return text;
}

}  // namespace torsor::app
