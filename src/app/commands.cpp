#include "app/commands.h"

#include <torch/version.h>

#include <iostream>

#include "app/completion.h"
#include "app/help.h"
#include "app/reference_flags.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"
#include "model/direction.h"

namespace torsor::app {

std::vector<Command>& commands() {
  static std::vector<Command> table = {
      doctor_command(),   train_command(),     translate_command(),  calibrate_command(),
      evaluate_command(), audit_command(),     transport_command(),  report_command(),
      plot_command(),     import_command(),    export_command(),     inspect_command(),
      demo_command(),     reproduce_command(), completion_command(), docs_command()};
  return table;
}

namespace {

// The reference's AtoB and other ways to write one: A2B, ab, A->B.
std::string direction_meant(const std::string& text) {
  std::string letters;
  for (const char c : lower(text))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) letters += c;
  if (letters == "atob" || letters == "a2b" || letters == "ab") return "a_to_b";
  if (letters == "btoa" || letters == "b2a" || letters == "ba") return "b_to_a";
  return text;
}

}  // namespace

void add_direction(OptionSet& o, std::string& direction, const std::string& help) {
  o.add("direction", direction, help)
      .suggest({"a_to_b", "b_to_a"})
      .common()
      .check([](const std::string& v, const std::string& where) {
        if (!v.empty() && !Direction::named(v).is_known())
          fail_usage("{}: unknown value '{}'{} (one of a_to_b, b_to_a)", where, printable(v),
                     did_you_mean(direction_meant(v), {"a_to_b", "b_to_a"}));
      });
}

Command docs_command() {
  static OptionSet none;
  const std::vector<std::string> pages = {"cli", "from-the-reference"};
  return {.name = "docs",
          .summary = "Print a page of the documentation that is made from the program's declarations",
          .positionals = {{"PAGE", "cli (the default) or from-the-reference", Need::optional, pages}},
          .options = &none,
          .run =
              [pages](const std::vector<std::string>& positionals) {
                const std::string& page = positionals[0];
                if (page.empty() || page == "cli")
                  std::cout << cli_markdown();
                else if (page == "from-the-reference")
                  std::cout << reference_markdown();
                else
                  fail_usage("PAGE: unknown value '{}'{} (one of {})", printable(page),
                             did_you_mean(page, pages), join(pages));
                return 0;
              },
          .examples = {"torsor docs > docs/cli.md"}};
}

std::string version_text() { return fmt::format("torsor {}, libtorch {}", torsor_version(), TORCH_VERSION); }

}  // namespace torsor::app
