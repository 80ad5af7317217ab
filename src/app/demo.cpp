#include "app/commands.h"
#include "core/error.h"
namespace torsor::app {
Command demo_command() {
  static OptionSet none;
  return {"demo", "Train on generated images and show what was learnt", {}, &none, [](const auto&) -> int { fail("not yet"); }};
}
}
