// What a symmetry does to the translations, the loss, the labels and the errors on pairs of a trained pair of
// translators.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_material.h"
#include "audit/loss_parts.h"
#include "audit/symmetries.h"
#include "core/json.h"

namespace torsor {

/// Images on which translators are composed with symmetries: pairs where there are enough, else held-out
/// ones.
struct EffectImages {
  AuditImages a, b;
  bool paired = false;
};

/// `count` of them, evenly over all.
AuditImages evenly_of(const AuditImages& images, std::int64_t count);
EffectImages effect_images(const AuditMaterial& material, std::int64_t count);

/// For the first run.
class SymmetryEffects {
 public:
  SymmetryEffects(AuditMaterial& material, EffectImages images);

  const EffectImages& images() const { return images_; }
  /// MeasuredPair::loss of the pair as it is; null where the objective is not known or not measurable.
  const Json& loss() const { return plain_.loss; }
  /// Names of terms of the objective that cannot be measured.
  const std::vector<std::string>& left_out() const { return terms_.left_out; }
  /// Where pairs are measured {"a_to_b", "b_to_a"}: mean PSNR in dB of the pair as it is; else null.
  const Json& psnr() const { return psnr_; }

  /// {"displacements": {"a_to_b": {"whole", "worst": estimates}, "b_to_a"}, "direction" (of the larger),
  /// "displacement": estimate, "moved_inputs": E |phi - id|, "loss": MeasuredPair::loss or null,
  /// "loss_change": number or null, "bound": corrected_bound() or null, "labels_changed": {direction:
  /// estimate} or null, "psnr":
  /// {"a_to_b", "b_to_a"} or null}; "displacements" alone where nothing can be moved. Displacements are means
  /// of |moved - plain translation| over those of unrelated images.
  Json of(const Symmetry& phi, const std::string& domain);

  /// Plain and moved translations of that direction for pictures, both [N,C,H,W].
  struct Shown {
    at::Tensor inputs, plain, moved;
  };
  Shown shown(const Symmetry& phi, const std::string& domain, const Direction& direction);

 private:
  MeasuredPair moved(const Symmetry& phi, const std::string& domain,
                     const std::vector<LossTerm>& terms) const;
  Json displacements(const MeasuredPair& moved, const std::string& stream);
  Json bound(const Symmetry& phi, const std::string& domain) const;
  Json labels_changed(const MeasuredPair& moved, const std::string& stream) const;
  Json psnr_of(const Symmetry& phi, const std::string& domain, const MeasuredPair& moved) const;

  AuditMaterial& material_;
  EffectImages images_;
  MeasurableTerms terms_;
  CycleMaps remembering_;  // the run's maps; translations of the images are not made again
  MeasuredPair plain_;
  Json psnr_;
  // Pairs that are too few to measure the rest on.
  std::optional<AuditPairs> few_pairs_;
  std::shared_ptr<RememberedMap> there_, back_;
};

}  // namespace torsor
