#include "app/commands.h"

#include <torch/version.h>

#include <iostream>

#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace torsor::app {

std::vector<Command>& commands() {
  static std::vector<Command> table = {train_command(),     translate_command(), import_command(),
                                       export_command(),    inspect_command(),   demo_command(),
                                       reproduce_command(), docs_command()};
  return table;
}

void add_direction(OptionSet& o, std::string& direction, const std::string& help) {
  o.add("direction", direction, help).check([](const std::string& v, const std::string& where) {
    if (!v.empty() && v != "a_to_b" && v != "b_to_a")
      fail_usage("{}: unknown value '{}'{} (one of a_to_b, b_to_a)", where, v,
                 did_you_mean(v, {"a_to_b", "b_to_a"}));
  });
}

Command docs_command() {
  static OptionSet none;
  return {"docs", "Print docs/cli.md, made from the option declarations", {}, &none, [](const auto&) {
            std::cout << cli_markdown();
            return 0;
          }};
}

std::string version_text() { return fmt::format("torsor {}, libtorch {}", torsor_version(), TORCH_VERSION); }

}  // namespace torsor::app
