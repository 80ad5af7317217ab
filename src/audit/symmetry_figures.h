// Pictures of the symmetries that matter most.
#pragma once

#include <string>
#include <vector>

#include "audit/symmetry_battery.h"
#include "audit/symmetry_effects.h"
#include "core/json.h"

namespace torsor {

/// Up to three grids, of symmetries that are not excluded and matter: those that are shown first, then by
/// displacement; of the hues one. Rows: inputs, their translations, those of the moved translator. Columns:
/// the three images whose translations move most, and the three nearest to the median.
Json symmetry_figures(AuditMaterial& material, SymmetryEffects& effects,
                      const std::vector<BatteryEntry>& entries);

/// "hue" for hues turned by any angle, else the name.
std::string symmetry_family(const std::string& name);

}  // namespace torsor
