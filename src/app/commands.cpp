#include "app/commands.h"

#include <torch/version.h>

#include <iostream>

#include "core/error.h"
#include "core/version.h"

namespace torsor::app {

std::vector<Command>& commands() {
  static std::vector<Command> table = {train_command(),  translate_command(), import_command(),
                                       export_command(), inspect_command(),   demo_command(),
                                       docs_command()};
  return table;
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
