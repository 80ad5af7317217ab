#include "audit/symmetry_bound.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "theory/translators.h"

namespace torsor {

namespace {

std::string why_no_bound(const std::string& norm, double constant) {
  if (norm == "l2") return "the cycle norm l2 is a squared distance, and the bound is for norms";
  if (!std::isfinite(constant)) return "the way back has no Lipschitz constant that is finite and known";
  return "";
}

const char* why_term_has_none(const LossTerm& term) {
  if (term.kind == TermKind::transport)
    return "a transport cost is no part of the proposition: it tells solutions apart, and a symmetry changes "
           "it";
  return "the identity term feeds generators their target domain (Zhu et al.), and the proposition treats "
         "the "
         "other form: only the cycle's part is bounded";
}

// What the term may be; nothing where the proposition says nothing.
std::optional<double> term_bound(const LossTerm& term, double value, const BoundInputs& in) {
  if (term.name == "cycle_" + in.domain) return in.constant * value;
  if (term.kind == TermKind::transport) return std::nullopt;
  if (term.kind != TermKind::identity) return value;
  if (!is_source_identity(term)) return std::nullopt;
  return value + term.weight * (term.name == "idt_" + in.domain ? in.of_inputs : in.of_outputs);
}

}  // namespace

bool is_source_identity(const LossTerm& term) {
  const auto needs = [&](Picture which) {
    return std::find(term.needs.begin(), term.needs.end(), which) != term.needs.end();
  };
  return term.kind == TermKind::identity && (needs(Picture::fake_b) || needs(Picture::fake_a));
}

CycleMaps moved_maps(const CycleMaps& maps, const Symmetry& phi, const std::string& domain) {
  // For b the roles are exchanged: (F, G) is moved by the inverse of phi.
  const bool of_a = domain == "a";
  const TensorMapping &out_of = of_a ? maps.a_to_b : maps.b_to_a, &into = of_a ? maps.b_to_a : maps.a_to_b;
  const Automorphism acting = of_a ? Automorphism{phi.map, phi.inverse} : Automorphism{phi.inverse, phi.map};
  Translators both = moved({out_of, into}, acting);
  if (!out_of || !acting.map) both.a_to_b = nullptr;
  if (!into || !acting.inverse) both.b_to_a = nullptr;
  CycleMaps out = maps;
  out.a_to_b = of_a ? both.a_to_b : both.b_to_a;
  out.b_to_a = of_a ? both.b_to_a : both.a_to_b;
  return out;
}

Json corrected_bound(const std::vector<LossTerm>& terms, const Json& loss, const std::string& norm,
                     const BoundInputs& inputs) {
  Json out = {{"terms", Json::object()}, {"loss", nullptr}, {"printed", nullptr}, {"why_none", ""}};
  std::string why = why_no_bound(norm, inputs.constant);
  double sum = 0, alphas = 0;
  for (const LossTerm& term : terms) {
    if (!term.on()) continue;
    const double value = loss.at("terms").at(term.name).get<double>();
    const std::optional<double> bound =
        why.empty() || term.kind == TermKind::adversarial ? term_bound(term, value, inputs) : std::nullopt;
    out["terms"][term.name] = bound ? Json(*bound) : Json(nullptr);
    sum += bound.value_or(0);
    if (term.kind == TermKind::identity) alphas += term.weight;
    if (why.empty() && !bound) why = why_term_has_none(term);
  }
  out["why_none"] = why;
  if (!why.empty()) return out;
  out["loss"] = sum;
  out["printed"] = std::max(inputs.constant, 1.0) * loss.at("loss").get<double>() + alphas * inputs.of_inputs;
  return out;
}

}  // namespace torsor
