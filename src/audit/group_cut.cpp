#include "audit/group_cut.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "core/shuffle.h"

namespace torsor {

GroupCut cut_by_groups(const std::vector<std::int64_t>& groups, Rng& rng) {
  std::map<std::int64_t, std::vector<std::int64_t>> places;
  for (std::size_t i = 0; i < groups.size(); ++i) places[groups[i]].push_back(std::int64_t(i));
  if (places.size() < 2) throw std::logic_error("fewer than two groups cannot be cut in two");
  std::vector<std::int64_t> order;
  for (const auto& [group, members] : places) order.push_back(group);
  shuffle(order.begin(), std::ssize(order), rng);
  GroupCut out;
  for (const std::int64_t group : order) {
    std::vector<std::int64_t>& part = out.second.size() < out.first.size() ? out.second : out.first;
    part.insert(part.end(), places[group].begin(), places[group].end());
  }
  std::sort(out.first.begin(), out.first.end());
  std::sort(out.second.begin(), out.second.end());
  return out;
}

std::int64_t count_groups(const std::vector<std::int64_t>& groups) {
  return std::ssize(std::set<std::int64_t>(groups.begin(), groups.end()));
}

FeatureSets grouped_sets(const at::Tensor& real, const std::vector<std::int64_t>& groups_real,
                         const at::Tensor& fake, const std::vector<std::int64_t>& groups_fake) {
  FeatureSets out{real, fake, {}};
  std::map<std::int64_t, std::int64_t> numbers;
  const auto numbered = [&](const std::vector<std::int64_t>& groups) {
    std::vector<std::int64_t> rows;
    for (const std::int64_t group : groups)
      rows.push_back(numbers.emplace(group, std::ssize(numbers)).first->second);
    return rows;
  };
  out.groups.real = numbered(groups_real);
  out.groups.fake = numbered(groups_fake);
  out.groups.count = std::ssize(numbers);
  return out;
}

}  // namespace torsor
