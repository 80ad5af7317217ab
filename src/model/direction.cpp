#include "model/direction.h"

namespace torsor {

Direction Direction::named(const std::string& text) {
  static const std::string kTo = "_to_";
  const std::size_t at = text.find(kTo);
  if (at == std::string::npos || at == 0 || at + kTo.size() == text.size()) return {};
  return {text.substr(0, at), text.substr(at + kTo.size())};
}

}  // namespace torsor
