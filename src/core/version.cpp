#include "core/version.h"

namespace torsor {

std::string torsor_version() { return TORSOR_VERSION; }

}  // namespace torsor
