#include <ATen/ATen.h>

#include "audit/content_statistics.h"
#include "audit/prevalence_measures.h"
#include "metric/confusion.h"

namespace torsor {

namespace {

constexpr std::size_t kClassesOfRun = 0;  // the run that is judged

// One domain's real images.
struct RealClasses {
  at::Tensor reference;  // [N]: the table's classes, -1 for none; without tables the classifier's
  at::Tensor said;       // [N]: the classifier's, of images that it had not learnt
  double accuracy = 0;
};

RealClasses real_classes(const AuditMaterial& material, const std::string& domain) {
  const AuditLabels& labels = *material.labels();
  const bool a = domain == "a";
  RealClasses out{a ? labels.a : labels.b, a ? labels.held_out_a : labels.held_out_b,
                  a ? labels.accuracy_a : labels.accuracy_b};
  if (!out.said.defined()) out.said = labels.classify(material.images(domain).values, domain);
  return out;
}

// Whether people gave the classes of the real images of both domains, so that the classifier's errors are
// known.
bool classes_are_known(const AuditLabels& labels) {
  return labels.held_out_a.defined() && labels.held_out_b.defined();
}

Json shift_json(const ContentShift& shift) {
  return {{"gap", shift.gap.json()}, {"moved", shift.moved ? shift.moved->json() : Json(nullptr)}};
}

Json class_prevalence(const AuditMaterial& material, const Direction& direction, std::int64_t k,
                      const at::Tensor& x, const at::Tensor& translated, const at::Tensor& y) {
  const AuditImages &from = material.images(direction.from), &to = material.images(direction.to);
  const auto is = [&](const at::Tensor& classes) { return (classes == k).to(at::kDouble); };
  const ContentSample sample{is(x), is(translated), is(y), from.groups, to.groups};
  Rng rng = material.stream(fmt::format("prevalence/class/{}/{}", direction.name(), k));
  Json out = {{"class", material.labels()->classes[static_cast<std::size_t>(k)]},
              {"x", share_estimate(sample.x, from.groups).json()},
              {"translated", share_estimate(sample.translated, from.groups).json()},
              {"y", share_estimate(sample.y, to.groups).json()}};
  out.update(shift_json(content_shift(sample, material.options().resamples, rng)));
  return out;
}

ConfusionMatrix class_matrix(const at::Tensor& x, const at::Tensor& translated, std::int64_t classes) {
  ConfusionMatrix out(classes);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    if (const auto from = x[i].item<std::int64_t>(); from >= 0)
      out.add(from, translated[i].item<std::int64_t>());
  return out;
}

}  // namespace

Json class_content(AuditMaterial& material, const Direction& direction) {
  const AuditLabels& labels = *material.labels();
  const auto count = std::ssize(labels.classes);
  const bool known = classes_are_known(labels);
  const RealClasses x = real_classes(material, direction.from), y = real_classes(material, direction.to);
  const at::Tensor translated = labels.classify(material.translated(kClassesOfRun, direction), direction.to);
  const ClassSample sample{x.reference,
                           translated,
                           known ? y.reference : at::Tensor(),
                           y.said,
                           material.images(direction.from).groups,
                           material.images(direction.to).groups,
                           count};
  Rng rng = material.stream("prevalence/agreement/" + direction.name());
  const ClassAgreement agreement = class_agreement(sample, material.options().resamples, rng);
  const ConfusionMatrix matrix = class_matrix(x.reference, translated, count);
  const auto power = [&](const RealClasses& real) {
    return known ? Json(classifier_power(real.reference, real.said, count)) : Json(nullptr);
  };
  Json prevalences = Json::array();
  for (std::int64_t k = 0; k < count; ++k)
    prevalences.push_back(class_prevalence(material, direction, k, x.said, translated, y.said));
  return {{"classes", labels.classes},
          {"source", labels.source},
          {"known", known},
          {"accuracy_from", x.accuracy},
          {"accuracy_to", y.accuracy},
          {"power_from", power(x)},
          {"power_to", power(y)},
          {"without_label", (x.reference < 0).sum().item<std::int64_t>()},
          {"agreement", agreement.agreement.json()},
          {"attainable", agreement.attainable},
          {"shortfall", agreement.shortfall.json()},
          {"matrix", matrix.counts()},
          {"permutation", cycles_text(summarize(matrix).permutation)},
          {"prevalences", prevalences}};
}

}  // namespace torsor
