#include "transport/sample_units.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/shuffle.h"

namespace torsor {

SampleUnits::SampleUnits(const std::vector<std::int64_t>& groups)
    : groups_(groups), images_(static_cast<std::int64_t>(groups.size())) {
  std::map<std::int64_t, std::vector<std::int64_t>> found;
  for (std::size_t i = 0; i < groups.size(); ++i) found[groups[i]].push_back(static_cast<std::int64_t>(i));
  for (auto& [group, members] : found) members_.push_back(std::move(members));
}

std::vector<std::size_t> SampleUnits::shuffled(Rng& rng) const {
  std::vector<std::size_t> out(members_.size());
  std::iota(out.begin(), out.end(), 0);
  shuffle(out.begin(), std::ssize(out), rng);
  return out;
}

std::vector<std::int64_t> SampleUnits::part(double share, Rng& rng) const {
  const double wanted = share * static_cast<double>(images_);
  std::vector<std::int64_t> out;
  for (const std::size_t unit : shuffled(rng)) {
    const auto have = static_cast<double>(out.size()), more = static_cast<double>(members_[unit].size());
    if (!out.empty() && have + more / 2 > wanted) break;
    out.insert(out.end(), members_[unit].begin(), members_[unit].end());
  }
  return out;
}

SampleUnits::Halves SampleUnits::halves(std::int64_t most, Rng& rng) const {
  Halves out;
  for (const std::size_t unit : shuffled(rng)) {
    auto& half = out.first.size() <= out.second.size() ? out.first : out.second;
    half.insert(half.end(), members_[unit].begin(), members_[unit].end());
  }
  for (auto* half : {&out.first, &out.second})
    half->resize(std::min(half->size(), static_cast<std::size_t>(std::max<std::int64_t>(most, 0))));
  return out;
}

SampleUnits SampleUnits::among(const std::vector<std::int64_t>& images) const {
  std::vector<std::int64_t> groups;
  for (const std::int64_t image : images) groups.push_back(groups_[static_cast<std::size_t>(image)]);
  return SampleUnits(groups);
}

std::vector<double> SampleUnits::means(const std::vector<double>& values) const {
  std::vector<double> out;
  for (const auto& members : members_) {
    double sum = 0;
    for (const std::int64_t image : members) sum += values[static_cast<std::size_t>(image)];
    out.push_back(sum / static_cast<double>(members.size()));
  }
  return out;
}

}  // namespace torsor
