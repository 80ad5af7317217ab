#include "interchange/reference_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "core/error.h"
#include "interchange/network_name.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::array kRoles = {"G_A", "G_B", "D_A", "D_B", "G", "D", "F"};

constexpr std::array kEndings = {".pth", ".pt", ".safetensors"};

// "G_AB_199" without what counts epochs behind.
std::string without_number(const std::string& stem) {
  const std::size_t last = stem.find_last_not_of("0123456789");
  const bool counted = last != std::string::npos && last + 1 < stem.size() && last > 0 && stem[last] == '_';
  return counted ? stem.substr(0, last) : stem;
}

bool says_direction(const std::string& name) {
  const NameSays says = generator_name_says(name);
  return says == NameSays::a_to_b || says == NameSays::b_to_a;
}

// "latest" is newer than any number, a number than other words, and those than none.
std::pair<int, std::int64_t> age_of(const std::string& epoch) {
  if (epoch == "latest") return {3, 0};
  if (epoch.empty()) return {0, 0};
  const bool digits =
      !epoch.empty() && epoch.size() < 10 && epoch.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::pair<int, std::int64_t>{2, std::stoll(epoch)} : std::pair<int, std::int64_t>{1, 0};
}

}  // namespace

ReferenceFile parse_file_name(const fs::path& path) {
  const std::string stem = path.stem().string();
  const std::size_t net = stem.rfind("_net_");
  const std::string role = net == std::string::npos ? "" : stem.substr(net + 5);
  if (std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end()) return {path, stem.substr(0, net), role};
  const std::string name = without_number(stem);
  return {path, "", says_direction(name) ? name : ""};
}

std::vector<ReferenceFile> newest_files(const fs::path& folder) {
  std::map<std::string, std::vector<ReferenceFile>> epochs;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    const std::string ending = entry.path().extension().string();
    ReferenceFile file = parse_file_name(entry.path());
    if (std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end() && !file.role.empty())
      epochs[file.epoch].push_back(std::move(file));
  }
  if (epochs.empty())
    fail(
        "{}: is no model: it has no model.safetensors, no checkpoint of torsor and no weights of the "
        "reference (*_net_G_A.pth and the like)",
        folder.string());
  auto newest = std::max_element(epochs.begin(), epochs.end(), [](const auto& x, const auto& y) {
    return age_of(x.first) < age_of(y.first);
  });
  std::sort(newest->second.begin(), newest->second.end(),
            [](const auto& x, const auto& y) { return x.role > y.role; });  // generators first
  return newest->second;
}

}  // namespace torsor
