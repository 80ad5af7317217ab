#include "data/partners.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

constexpr const char* kPartnersAre =
    "partners have the same name, whatever the extension, in the same sub-folder";

using Places = std::map<std::string, std::int64_t>;

Places places_by_name(const ImageSet& source) {
  Places out;
  for (std::int64_t i = 0; i < source.size(); ++i) {
    const auto [there, added] = out.emplace(source.pair_name(i), i);
    if (!added)
      fail("{}: {} and {} have the same name, so that it is unclear which of them has the partner; keep one",
           source.title(), source.name(there->second), source.name(i));
  }
  return out;
}

std::vector<std::string> without_partner(const ImageSet& source, const Places& others) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < source.size(); ++i)
    if (!others.contains(source.pair_name(i))) out.push_back(source.name(i));
  return out;
}

// "2 of 5 images in A have no partner in B (c.png, d.png)"
std::string lonely_line(const std::vector<std::string>& lonely, const ImageSet& source,
                        const ImageSet& other) {
  constexpr std::size_t kNamed = 5;
  const auto named = static_cast<std::ptrdiff_t>(std::min(kNamed, lonely.size()));
  return fmt::format("{} of {} images in {} {} no partner in {} ({}{})", lonely.size(), source.size(),
                     source.title(), lonely.size() == 1 ? "has" : "have", other.title(),
                     join({lonely.begin(), lonely.begin() + named}), lonely.size() > kNamed ? ", ..." : "");
}

}  // namespace

void keep_partners(ImageSet& a, ImageSet& b, std::int64_t limit, BadFiles policy, LogSink& log) {
  const Places in_a = places_by_name(a), in_b = places_by_name(b);
  std::vector<std::int64_t> kept_a, kept_b;
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (const auto partner = in_b.find(a.pair_name(i)); partner != in_b.end()) {
      kept_a.push_back(i);
      kept_b.push_back(partner->second);
    }
  if (kept_a.empty())
    fail("no image in {} has a partner in {} (the first are {} and {}); {}", a.title(), b.title(), a.name(0),
         b.name(0), kPartnersAre);
  std::vector<std::string> lines;
  if (const auto lonely = without_partner(a, in_b); !lonely.empty())
    lines.push_back(lonely_line(lonely, a, b));
  if (const auto lonely = without_partner(b, in_a); !lonely.empty())
    lines.push_back(lonely_line(lonely, b, a));
  if (!lines.empty() && policy == BadFiles::refuse)
    fail("{}; {}: add or remove them, or pass --skip-bad to continue without them", join(lines, "; "),
         kPartnersAre);
  for (const std::string& line : lines) log.warning("left out: " + line);
  if (limit > 0 && static_cast<std::int64_t>(kept_a.size()) > limit) {
    kept_a.resize(static_cast<std::size_t>(limit));
    kept_b.resize(static_cast<std::size_t>(limit));
  }
  a.keep(kept_a);
  b.keep(kept_b);
}

}  // namespace torsor
