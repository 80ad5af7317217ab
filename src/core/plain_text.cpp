#include "core/plain_text.h"

namespace torsor {

std::string plain_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace torsor
