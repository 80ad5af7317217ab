#include "audit/parts.h"

namespace torsor {

const std::vector<AuditPart>& audit_parts() {
  static const std::vector<AuditPart> parts = {solution_part(),     seeds_part(),     symmetries_part(),
                                               equivariance_part(), honesty_part(),   prevalence_part(),
                                               transport_part(),    null_task_part(), search_part(),
                                               anchors_part(),      acquire_part(),   detection_part()};
  return parts;
}

}  // namespace torsor
