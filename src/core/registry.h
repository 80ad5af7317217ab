// A name -> entry table that reports unknown names with the nearest known one. Tables are filled by one
// explicit function per category (static initialisers vanish from static libraries).
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

template <class Entry>
class Registry {
 public:
  explicit Registry(std::string what) : what_(std::move(what)) {}

  void add(std::string name, Entry entry) {
    for (const auto& [known, unused] : entries_)
      if (known == name) throw std::logic_error(what_ + " registered twice: " + name);
    entries_.emplace_back(std::move(name), std::move(entry));
  }

  /// Throws UsageError when the name is unknown.
  const Entry& at(const std::string& name) const {
    for (const auto& [known, entry] : entries_)
      if (known == name) return entry;
    fail_usage("unknown {} '{}'{} (one of {})", what_, name, did_you_mean(name, names()), join(names()));
  }

  bool has(const std::string& name) const {
    for (const auto& [known, unused] : entries_)
      if (known == name) return true;
    return false;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, unused] : entries_) out.push_back(name);
    return out;
  }

 private:
  std::string what_;
  std::vector<std::pair<std::string, Entry>> entries_;
};

}  // namespace torsor
