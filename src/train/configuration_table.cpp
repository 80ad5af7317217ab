#include "train/configuration_table.h"

namespace torsor {

namespace {

// As code, where Markdown has no other special characters than the backtick that ends it.
std::string code(const std::string& text) {
  std::string fence = "`";
  while (text.find(fence) != std::string::npos) fence += '`';
  const std::string gap = fence.size() > 1 ? " " : "";
  return fence + gap + text + gap + fence;
}

std::string row(const Option& option, const std::string& in_place_of) {
  return fmt::format("| {} | {} | {} |\n", code(option.name()), code(option.value().dump()), in_place_of);
}

}  // namespace

std::string configuration_table(TrainConfig config) {
  OptionSet options;
  config.describe(options);
  OptionSet defaults;
  TrainConfig fresh{ModelChoice(config.model.name())};
  fresh.describe(defaults);
  std::string changed, others;
  for (const Option& option : options.options()) {
    const Json usual = defaults.find(option.name())->value();
    if (option.value() == usual)
      others += row(option, "");
    else
      changed += row(option, code(usual.dump()));
  }
  return "| option | value | default |\n| --- | --- | --- |\n" + changed + others;
}

}  // namespace torsor
