// What the registry of alarms is made of; each in a file of its own.
#pragma once

#include <optional>

#include "alarm/alarms.h"

namespace torsor {

/// Outputs with NaN or infinite values.
std::optional<AlarmFinding> look_for_non_finite(const Evidence& evidence);
/// Outputs that show nothing, where the target domain's images do.
std::optional<AlarmFinding> look_for_blank(const Evidence& evidence);
/// Outputs alike for unlike inputs.
std::optional<AlarmFinding> look_for_collapse(const Evidence& evidence);
/// A discriminator that is certain of every image.
std::optional<AlarmFinding> look_for_saturated(const Evidence& evidence);
/// Outputs that are negatives of the inputs although the domains do not ask for it.
std::optional<AlarmFinding> look_for_inversion(const Evidence& evidence);
/// Outputs that equal the inputs.
std::optional<AlarmFinding> look_for_no_op(const Evidence& evidence);
/// Straight lines along the outputs' borders.
std::optional<AlarmFinding> look_for_border(const Evidence& evidence);
/// Translations that hide their input in what nobody sees (Chu, Zhmoginov, Sandler 2017: CycleGAN, a Master
/// of Steganography).
std::optional<AlarmFinding> look_for_hidden(const Evidence& evidence);

}  // namespace torsor
