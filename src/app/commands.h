// One function per subcommand; each returns a Command whose options live as long as the program.
#pragma once

#include "app/cli.h"

namespace torsor::app {

/// Declares --direction: a_to_b, b_to_a, or empty for what the file holds.
void add_direction(OptionSet& options, std::string& direction, const std::string& help);

Command train_command();
Command translate_command();
Command import_command();
Command export_command();
Command inspect_command();
Command evaluate_command();
Command audit_command();
Command transport_command();
Command calibrate_command();
Command doctor_command();
Command demo_command();
Command reproduce_command();
Command plot_command();
Command report_command();
Command docs_command();

/// "torsor 0.1.0, libtorch 2.13.0".
std::string version_text();

}  // namespace torsor::app
