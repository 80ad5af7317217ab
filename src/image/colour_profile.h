// ICC colour profiles, which torsor does not apply. Internal to this layer.
#pragma once

#include <string>
#include <string_view>

#include "image/formats.h"

namespace torsor::formats {

/// The description in an ICC profile (ICC.1:2022, 9.2.41, and the older textDescriptionType), "" when there
/// is none or the profile is malformed.
std::string profile_description(std::string_view profile);

/// Notes that the colours are taken for sRGB although the file says otherwise; says nothing of profiles that
/// are sRGB by their description and their primaries.
void note_profile(const Source& source, std::string_view profile);

}  // namespace torsor::formats
