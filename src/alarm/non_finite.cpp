#include <ATen/ATen.h>
#include <fmt/format.h>

#include "alarm/looks.h"

namespace torsor {

std::optional<AlarmFinding> look_for_non_finite(const Evidence& evidence) {
  std::int64_t bad = 0;
  for (const at::Tensor& output : evidence.outputs)
    if (!output.isfinite().all().item<bool>()) ++bad;
  if (bad == 0) return std::nullopt;
  return AlarmFinding{
      fmt::format("{} of {} translations have values that are not finite", bad, evidence.outputs.size()),
      static_cast<double>(bad), 0};
}

}  // namespace torsor
