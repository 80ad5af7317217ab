#include "app/completion.h"

#include <iostream>

#include "app/help.h"
#include "core/error.h"
#include "core/text.h"

namespace torsor::app {

namespace {

const std::vector<std::string> kShells = {"bash", "zsh"};

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

std::vector<std::string> flags_of(const Command& command) {
  std::vector<std::string> flags = {"--help", "--help-all"};
  for (const Option* option : all_options(command))
    if (!option->is_hidden())
      for (const std::string& flag : shown_flags(*option)) flags.push_back(flag);
  return flags;
}

// Text without words to choose from names a file or a folder more often than not.
bool takes_path(const Option& option) { return option.type_name() == "text" && option.suggestions().empty(); }

std::vector<const Option*> valued_options(const Command& command) {
  std::vector<const Option*> out = all_options(command);
  std::erase_if(out, [](const Option* option) { return option->is_hidden() || option->is_bool(); });
  return out;
}

// What bash does after a flag that takes a value.
std::string bash_values(const Command& command) {
  std::string text;
  std::vector<std::string> numbers;
  for (const Option* option : valued_options(command)) {
    const std::string pattern = command.name + ":" + option->flag();
    if (!option->suggestions().empty())
      text +=
          fmt::format("    {}) _torsor_words '{}'; return ;;\n", pattern, join(option->suggestions(), " "));
    else if (takes_path(*option))
      text += fmt::format("    {}) return ;;\n", pattern);
    else
      numbers.push_back(pattern);
  }
  if (!numbers.empty()) text += fmt::format("    {}) compopt +o default; return ;;\n", join(numbers, "|"));
  return text;
}

std::string bash_first_words(const Command& command) {
  const auto& first = command.positionals;
  if (first.empty() || first.front().suggestions.empty()) return "";
  return fmt::format("    {}) [[ $COMP_CWORD -eq 2 ]] && _torsor_words '{}' ;;\n", command.name,
                     join(first.front().suggestions, " "));
}

// Inside single quotes, where zsh's _arguments reads brackets and colons.
std::string zsh_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') out += "'\\''";
    if (c == '\'') continue;
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_option(const Option& option) {
  std::string text;
  for (const std::string& flag : shown_flags(option)) {
    text += fmt::format(" \\\n      '{}[{}]", flag, zsh_quoted(option.help()));
    if (!option.is_bool()) {
      text += fmt::format(":{}:", zsh_quoted(option.name()));
      if (!option.suggestions().empty())
        text += fmt::format("({})", join(option.suggestions(), " "));
      else if (takes_path(option))
        text += "_files";
    }
    text += "'";
  }
  return text;
}

std::string zsh_positionals(const Command& command) {
  std::string text;
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const Positional& p = command.positionals[i];
    const std::string place = p.need == Need::several ? "*" : std::to_string(i + 1);
    text += fmt::format(" \\\n      '{}:{}:{}'", place, zsh_quoted(p.name),
                        p.suggestions.empty() ? "_files" : fmt::format("({})", join(p.suggestions, " ")));
  }
  return text;
}

int print_completion(const std::vector<std::string>& positionals) {
  const std::string& shell = positionals[0];
  if (shell == "bash") return print_help(bash_completion());
  if (shell == "zsh") return print_help(zsh_completion());
  fail_usage("SHELL: unknown value '{}'{} (one of {})", printable(shell), did_you_mean(shell, kShells),
             join(kShells));
}

}  // namespace

std::string bash_completion() {
  std::string text = R"(# Completion of torsor by bash; made by: torsor completion bash
_torsor_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_torsor() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
)";
  text += fmt::format(
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n    _torsor_words '{} --help --version'\n    return\n  fi\n",
      join(command_names(), " "));
  text += "  case $command:$prev in\n";
  for (const Command& command : commands()) text += bash_values(command);
  text += "  esac\n  if [[ $cur != -* ]]; then\n    case $command in\n";
  for (const Command& command : commands()) text += bash_first_words(command);
  text += "    *) ;;\n    esac\n    return\n  fi\n  case $command in\n";
  for (const Command& command : commands())
    text += fmt::format("    {}) _torsor_words '{}' ;;\n", command.name, join(flags_of(command), " "));
  return text + "  esac\n}\n\ncomplete -o default -F _torsor torsor\n";
}

std::string zsh_completion() {
  std::string text =
      "#compdef torsor\n# Completion of torsor by zsh; made by: torsor completion zsh\n\n_torsor() {\n"
      "  local -a commands=(\n";
  for (const Command& command : commands())
    text += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(command.summary));
  text +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const Command& command : commands()) {
    text += fmt::format(
        "  {})\n    _arguments '(- *)'{{-h,--help}}'[show the common options]' \\\n"
        "      '(- *)--help-all[show all options]'",
        command.name);
    for (const Option* option : all_options(command))
      if (!option->is_hidden()) text += zsh_option(*option);
    text += zsh_positionals(command) + "\n    ;;\n";
  }
  return text + "  esac\n}\n\n_torsor \"$@\"\n";
}

Command completion_command() {
  static OptionSet none;
  return {.name = "completion",
          .summary = "Print a script with which a shell completes torsor's commands and options",
          .positionals = {{"SHELL", "bash or zsh", Need::required, kShells}},
          .options = &none,
          .run = print_completion,
          .examples = {"torsor completion bash > ~/.local/share/bash-completion/completions/torsor"}};
}

}  // namespace torsor::app
