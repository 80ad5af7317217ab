#include "model/environment.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <fstream>

#include "core/error.h"
#include "core/plain_text.h"
#include "core/version.h"
#include "kernels/isa.h"

namespace torsor {

namespace {

// "" where the system does not say.
std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (const auto colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return "";
}

}  // namespace

Json describe_environment(const Placement& placement) {
  return {{"torsor", torsor_version()},
          {"libtorch", TORCH_VERSION},
          {"isa", at::get_cpu_capability()},
          {"kernels", isa_name(chosen_isa())},
          {"cpu", cpu_name()},
          {"threads", at::get_num_threads()},
          {"device", placement.device.is_cuda() ? "cuda" : "cpu"}};
}

std::vector<std::string> environment_changes(const Json& then, const Json& now) {
  std::vector<std::string> changes;
  for (const auto& [key, value] : now.items())
    if (then.is_object() && then.contains(key) && then.at(key) != value)
      changes.push_back(fmt::format("{} {} then, {} now", key, plain_text(then.at(key)), plain_text(value)));
  return changes;
}

}  // namespace torsor
