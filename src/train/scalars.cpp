#include "train/scalars.h"

#include <stdexcept>

namespace torsor {

void StepScalars::publish(const std::string& name, double value) {
  if (find(name)) throw std::logic_error("two scalars of a step are called " + name);
  scalars_.emplace_back(name, value);
}

std::optional<double> StepScalars::find(const std::string& name) const {
  for (const auto& [known, value] : scalars_)
    if (known == name) return value;
  return std::nullopt;
}

}  // namespace torsor
