#include "model/objective.h"

#include <algorithm>
#include <stdexcept>

#include "loss/distance.h"
#include "loss/residual_energy.h"
#include "loss/response_spread.h"
#include "model/class_planes.h"

namespace torsor {

namespace {

using at::Tensor;
using Map = TensorMapping CycleMaps::*;

struct Pass {
  Picture makes;
  Map by;
  Picture from;
};

// In the order of Picture.
constexpr std::array<Pass, 10> kPasses = {{
    {Picture::fake_b, &CycleMaps::a_to_b, Picture::real_a},
    {Picture::rec_a, &CycleMaps::b_to_a, Picture::fake_b},
    {Picture::fake_a, &CycleMaps::b_to_a, Picture::real_b},
    {Picture::rec_b, &CycleMaps::a_to_b, Picture::fake_a},
    {Picture::same_b, &CycleMaps::a_to_b, Picture::real_b},
    {Picture::same_a, &CycleMaps::b_to_a, Picture::real_a},
    {Picture::anchored_b, &CycleMaps::a_to_b, Picture::anchor_a},
    {Picture::anchored_a, &CycleMaps::b_to_a, Picture::anchor_b},
    {Picture::moved_b, &CycleMaps::a_to_b, Picture::nudged_a},
    {Picture::moved_a, &CycleMaps::b_to_a, Picture::nudged_b},
}};

bool is_given(Picture which) {
  return std::none_of(kPasses.begin(), kPasses.end(), [&](const Pass& pass) { return pass.makes == which; });
}

const ResidualMapping& in_blocks(const CycleMaps& maps, Map by) {
  return by == &CycleMaps::a_to_b ? maps.a_to_b_in_blocks : maps.b_to_a_in_blocks;
}

const Pass& pass_to(Picture which) {
  for (const Pass& pass : kPasses)
    if (pass.makes == which) return pass;
  throw std::logic_error("an image that is given is not made by a pass");
}

// The loss of the generator for scores of `fake`.
LossTerm adversarial(std::string name, TermKind kind, double weight, Picture fake, Map discriminator,
                     const GanLoss& gan) {
  const auto scores = [=](const Pictures& p, const CycleMaps& m) { return (m.*discriminator)(p.seen(fake)); };
  return {
      std::move(name),
      kind,
      weight,
      {fake},
      [=, &gan](const Pictures& p, const CycleMaps& m) { return gan.generator(scores(p, m)); },
      [=, &gan](const Pictures& p, const CycleMaps& m) { return gan.generator_per_sample(scores(p, m)); }};
}

// How far the made image is from the given one that it should be.
struct Comparison {
  Picture made, real;
};

LossTerm by_pixels(std::string name, TermKind kind, double weight, Comparison c, const std::string& norm) {
  return {
      std::move(name),
      kind,
      weight,
      {c.made},
      [=](const Pictures& p, const CycleMaps&) { return distance(p[c.made], p[c.real], norm); },
      [=](const Pictures& p, const CycleMaps&) { return distance_per_sample(p[c.made], p[c.real], norm); }};
}

// What is compared of a picture.
using Look = std::function<Tensor(const Pictures&, const CycleMaps&, Picture)>;

LossTerm by_look(std::string name, TermKind kind, double weight, Comparison c, const Look& look,
                 const std::string& norm) {
  return {std::move(name),
          kind,
          weight,
          {c.made},
          [=](const Pictures& p, const CycleMaps& m) {
            return distance(look(p, m, c.made), look(p, m, c.real), norm);
          },
          [=](const Pictures& p, const CycleMaps& m) {
            return distance_per_sample(look(p, m, c.made), look(p, m, c.real), norm);
          }};
}

LossTerm by_features(std::string name, TermKind kind, double weight, Comparison c, const std::string& norm) {
  const Map of = c.real == Picture::real_a ? &CycleMaps::features_a : &CycleMaps::features_b;
  return by_look(
      std::move(name), kind, weight, c,
      [of](const Pictures& p, const CycleMaps& m, Picture which) { return (m.*of)(p.seen(which)); }, norm);
}

LossTerm by_residuals(std::string name, double weight, Picture made) {
  return {std::move(name),
          TermKind::transport,
          weight,
          {made},
          [=](const Pictures& p, const CycleMaps&) { return residual_energy(p.residuals(made)); },
          [=](const Pictures& p, const CycleMaps&) { return residual_energy_per_sample(p.residuals(made)); },
          {made}};
}

// What the translation of c.real costs.
LossTerm by_transport(std::string name, const TransportCostOptions& o, Comparison c) {
  if (o.by_blocks()) return by_residuals(std::move(name), o.lambda_transport, c.made);
  if (!o.by_features()) return by_pixels(std::move(name), TermKind::transport, o.lambda_transport, c, "l2");
  return by_look(
      std::move(name), TermKind::transport, o.lambda_transport, c,
      [](const Pictures& p, const CycleMaps& m, Picture which) { return m.transport_encoder(p[which]); },
      "l2");
}

LossTerm by_content(std::string name, double weight, Comparison c) {
  return by_look(
      std::move(name), TermKind::cure, weight, c,
      [](const Pictures& p, const CycleMaps& m, Picture which) { return m.encoder(p[which]); }, "l1");
}

// An image and what is made of it, as they are and with a change of the image.
struct Response {
  Picture asked, asked_anew, made, made_anew;
};

LossTerm by_response(std::string name, double weight, Response r) {
  const auto spread = [=](const Pictures& p, const CycleMaps&) {
    return response_spread(p[r.asked], p[r.asked_anew], p[r.made], p[r.made_anew]);
  };
  return {std::move(name),
          TermKind::cure,
          weight,
          {r.made, r.made_anew},
          [=](const Pictures& p, const CycleMaps& m) { return spread(p, m).mean(); },
          spread};
}

// Images that belong to one group: at first each to its own.
class Parts {
 public:
  Parts() {
    for (std::size_t i = 0; i < part_.size(); ++i) part_[i] = i;
  }
  void unite(Picture x, Picture y) { std::replace(part_.begin(), part_.end(), of(y), of(x)); }
  std::size_t of(Picture which) const { return part_[static_cast<std::size_t>(which)]; }

 private:
  std::array<std::size_t, kPictures> part_;
};

std::vector<Picture> pictures_of(const std::vector<LossTerm>& terms, std::vector<Picture> also,
                                 const std::set<TermKind>& kinds) {
  for (const LossTerm& term : terms)
    if (term.on() && kinds.contains(term.kind)) also.insert(also.end(), term.needs.begin(), term.needs.end());
  return also;
}

}  // namespace

Pictures::Pictures(Tensor real_a, Tensor real_b) {
  at(Picture::real_a) = std::move(real_a);
  at(Picture::real_b) = std::move(real_b);
}

void Pictures::give(Picture which, Tensor image) {
  if (!is_given(which)) throw std::logic_error("an image that a pass makes is not given");
  at(which) = std::move(image);
}

const Tensor& Pictures::operator[](Picture which) const {
  const Tensor& image = images_[static_cast<std::size_t>(which)];
  if (!image.defined()) throw std::logic_error("an image of the objective was not made");
  return image;
}

void Pictures::label(Tensor planes_a, Tensor planes_b) {
  planes_a_ = std::move(planes_a);
  planes_b_ = std::move(planes_b);
}

Tensor Pictures::seen(Picture which) const {
  Picture origin = which;
  while (!is_given(origin)) origin = pass_to(origin).from;
  const Tensor& planes = origin == Picture::real_a ? planes_a_ : planes_b_;
  if (!planes.defined()) return (*this)[which];
  if (origin != Picture::real_a && origin != Picture::real_b)
    throw std::logic_error("an image of the objective has no class");
  return with_planes((*this)[which], planes);
}

void Pictures::make(Picture which, const CycleMaps& maps) {
  const Pass& pass = pass_to(which);
  const Tensor& from = (*this)[pass.from];
  if (!in_blocks_.contains(which)) {
    at(which) = (maps.*pass.by)(from);
    return;
  }
  std::vector<Tensor>& residuals = residuals_[which];
  residuals.clear();
  at(which) = in_blocks(maps, pass.by)(from, residuals);
}

const std::vector<Tensor>& Pictures::residuals(Picture which) const {
  const auto found = residuals_.find(which);
  if (found == residuals_.end()) throw std::logic_error("residuals of the objective were not kept");
  return found->second;
}

void Pictures::release(const std::vector<Picture>& kept) {
  residuals_.clear();
  for (const Pass& pass : kPasses) {
    Tensor& image = at(pass.makes);
    const bool stays = std::find(kept.begin(), kept.end(), pass.makes) != kept.end();
    image = image.defined() && stays ? image.detach() : Tensor();
  }
}

std::vector<Picture> passes_to(const std::vector<Picture>& wanted) {
  std::set<Picture> all;
  for (Picture which : wanted)
    for (; !is_given(which); which = pass_to(which).from) all.insert(which);
  return {all.begin(), all.end()};
}

std::vector<LossTerm> generator_terms(const CycleGanOptions& o, const GanLoss& gan,
                                      const IdentityTerm& identity) {
  using enum Picture;
  const Comparison cycle_a{rec_a, real_a}, cycle_b{rec_b, real_b};
  // In source mode the image that is compared is the translation itself.
  const Comparison idt_a = identity.source ? Comparison{fake_b, real_a} : Comparison{same_b, real_b};
  const Comparison idt_b = identity.source ? Comparison{fake_a, real_b} : Comparison{same_a, real_a};
  const std::string& norm = o.cycle_norm;
  std::vector<LossTerm> terms = {
      adversarial("g_a_to_b", TermKind::adversarial, o.gan_a_to_b(), fake_b, &CycleMaps::d_b, gan),
      adversarial("g_b_to_a", TermKind::adversarial, o.gan_b_to_a(), fake_a, &CycleMaps::d_a, gan),
      by_pixels("cycle_a", TermKind::cycle, o.lambda_cycle_a, cycle_a, norm),
      by_pixels("cycle_b", TermKind::cycle, o.lambda_cycle_b, cycle_b, norm),
      by_pixels("idt_a", TermKind::identity, identity.weight_a_to_b, idt_a, norm),
      by_pixels("idt_b", TermKind::identity, identity.weight_b_to_a, idt_b, norm)};
  for (LossTerm& further : std::vector<LossTerm>{
           adversarial("gan_cycle_a", TermKind::cycle, o.lambda_gan_cycle, rec_a, &CycleMaps::d_a, gan),
           adversarial("gan_cycle_b", TermKind::cycle, o.lambda_gan_cycle, rec_b, &CycleMaps::d_b, gan),
           by_features("feature_cycle_a", TermKind::cycle, o.lambda_feature_cycle, cycle_a, norm),
           by_features("feature_cycle_b", TermKind::cycle, o.lambda_feature_cycle, cycle_b, norm),
           by_features("feature_idt_a", TermKind::identity, o.lambda_feature_identity, idt_a, norm),
           by_features("feature_idt_b", TermKind::identity, o.lambda_feature_identity, idt_b, norm),
           by_transport("transport_a", o.transport, {fake_b, real_a}),
           by_transport("transport_b", o.transport, {fake_a, real_b}),
           by_pixels("anchor_a_to_b", TermKind::cure, o.cures.anchor_weight(), {anchored_b, anchor_b}, norm),
           by_pixels("anchor_b_to_a", TermKind::cure, o.cures.anchor_weight(), {anchored_a, anchor_a}, norm),
           by_content("content_a", o.cures.content_weight(), {fake_b, real_a}),
           by_content("content_b", o.cures.content_weight(), {fake_a, real_b}),
           by_response("jacobian_a", o.cures.lambda_jacobian, {real_a, nudged_a, fake_b, moved_b}),
           by_response("jacobian_b", o.cures.lambda_jacobian, {real_b, nudged_b, fake_a, moved_a})})
    if (further.on()) terms.push_back(std::move(further));
  return terms;
}

std::vector<LossTerm> one_way_terms(const std::optional<LossTerm>& beside, const GanLoss& gan) {
  std::vector<LossTerm> terms = {
      adversarial("g_a_to_b", TermKind::adversarial, 1, Picture::fake_b, &CycleMaps::d_b, gan)};
  if (beside) terms.push_back(*beside);
  return terms;
}

LossTerm way_back_term(double weight, const GanLoss& gan) {
  return adversarial("g_b_to_a", TermKind::adversarial, weight, Picture::fake_a, &CycleMaps::d_a, gan);
}

LossTerm transport_term(const TransportCostOptions& cost) {
  return by_transport("transport_a", cost, {Picture::fake_b, Picture::real_a});
}

LossTerm self_term(double weight) {
  return by_pixels("self_a", TermKind::cure, weight, {Picture::fake_b, Picture::real_a}, "l1");
}

LossTerm feature_self_term(double weight) {
  return by_content("self_a", weight, {Picture::fake_b, Picture::real_a});
}

std::set<Picture> residuals_for(const std::vector<LossTerm>& terms) {
  std::set<Picture> out;
  for (const LossTerm& term : terms) out.insert(term.residuals_of.begin(), term.residuals_of.end());
  return out;
}

std::array<DiscriminatorLoss, 2> discriminator_losses(const CycleGanOptions& o) {
  using enum Picture;
  const auto learning = [&](DiscriminatorLoss loss, double adversarial, std::optional<double> own) {
    loss.of_fakes = own.value_or(adversarial);
    loss.of_recs = o.lambda_gan_cycle > 0 ? own.value_or(o.lambda_gan_cycle) : 0;
    return loss;
  };
  return {learning({"d_a", real_a, fake_a, rec_a}, o.gan_b_to_a(), o.lambda_d_a),
          learning({"d_b", real_b, fake_b, rec_b}, o.gan_a_to_b(), o.lambda_d_b)};
}

std::vector<Picture> pictures_for(const std::array<DiscriminatorLoss, 2>& losses) {
  std::vector<Picture> out;
  for (const DiscriminatorLoss& loss : losses) {
    if (loss.of_fakes > 0) out.push_back(loss.fake);
    if (loss.of_recs > 0) out.push_back(loss.rec);
  }
  return out;
}

std::vector<TermGroup> group_terms(const std::vector<LossTerm>& terms, Grouping grouping,
                                   const std::vector<Picture>& also) {
  using enum TermKind;
  const std::vector<Picture> passes =
      passes_to(pictures_of(terms, also, {adversarial, cycle, identity, transport, cure}));
  const std::vector<Picture> first = passes_to(pictures_of(terms, also, {adversarial, cycle}));
  Parts parts;
  for (const Picture which : passes) {
    if (grouping == Grouping::joint) parts.unite(passes.front(), which);
    if (!is_given(pass_to(which).from)) parts.unite(pass_to(which).from, which);
  }
  for (const LossTerm& term : terms)
    if (term.on())
      for (const Picture which : term.needs) parts.unite(term.needs.front(), which);

  std::vector<TermGroup> groups;
  std::vector<std::size_t> known;
  const auto group_of = [&](Picture which) -> TermGroup& {
    const auto found = std::find(known.begin(), known.end(), parts.of(which));
    if (found != known.end()) return groups[static_cast<std::size_t>(found - known.begin())];
    known.push_back(parts.of(which));
    return groups.emplace_back();
  };
  for (const Picture which : passes) group_of(which).passes.push_back(which);
  for (std::size_t i = 0; i < terms.size(); ++i)
    if (terms[i].on()) group_of(terms[i].needs.front()).terms.push_back(i);
  for (TermGroup& group : groups)
    std::stable_partition(group.passes.begin(), group.passes.end(), [&](Picture which) {
      return std::find(first.begin(), first.end(), which) != first.end();
    });
  return groups;
}

}  // namespace torsor
