#include "audit/rivals.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace torsor {

namespace {

std::string symmetry_id(const std::string& domain, const std::string& name) {
  return "symmetry:" + domain + ":" + name;
}

// phi of A stands before G and, inverted, behind F; psi of B stands behind G and, inverted, before F.
void add_symmetries(const AuditMaterial& material, const Direction& direction, const std::string& domain,
                    std::vector<RivalAnswer>& out) {
  const bool before = domain == direction.from, inverted = direction == kBToA;
  const TensorMapping& generator = material.subject().generator(direction);
  for (const Symmetry& symmetry : battery_of(material, domain)) {
    const TensorMapping map = inverted && symmetry.inverse ? symmetry.inverse : symmetry.map;
    const char* when = before ? "before" : "after";
    RivalAnswer rival{symmetry_id(domain, symmetry.name),
                      fmt::format("{} {} translating", symmetry.text, when),
                      {},
                      before};
    if (before)
      rival.answer = [map, &generator](const at::Tensor& x, const at::Tensor&) { return generator(map(x)); };
    else
      rival.answer = [map](const at::Tensor&, const at::Tensor& made) { return map(made); };
    out.push_back(std::move(rival));
  }
}

}  // namespace

std::vector<Symmetry> battery_of(const AuditMaterial& material, const std::string& domain) {
  return symmetries_for(material.options(), material.images(domain));
}

std::vector<RivalAnswer> rival_answers(const AuditMaterial& material, const Direction& direction) {
  std::vector<RivalAnswer> out;
  for (std::size_t run = 1; run < material.runs().size(); ++run) {
    const AuditedRun& other = material.runs()[run];
    out.push_back({kRunRival + other.name, "the run " + other.name,
                   [&other, direction](const at::Tensor& x, const at::Tensor&) {
                     return other.generator(direction)(x);
                   },
                   true});
  }
  for (const std::string domain : {"a", "b"}) add_symmetries(material, direction, domain, out);
  if (material.images("a").values.size(1) == material.images("b").values.size(1))
    out.push_back({"copy", "the input itself", [](const at::Tensor& x, const at::Tensor&) { return x; }});
  return out;
}

std::string rival_id(const Json& rival) {
  return rival.contains("id") ? rival.at("id").get<std::string>()
                              : symmetry_id(rival.at("domain"), rival.at("name"));
}

std::vector<std::string> excluded_rivals(const Json& parts) {
  std::vector<std::string> out;
  if (!parts.contains("symmetries")) return out;
  for (const char* list : {"rivals", "others"})
    for (const Json& rival : parts.at("symmetries").value(list, Json::array()))
      if (rival.at("automorphism") == "excluded") out.push_back(rival_id(rival));
  return out;
}

}  // namespace torsor
