// The instructions that make Python call something. Nothing is called: dicts become dicts, calls that the
// reader knows are written down, everything else is opaque.
#pragma once

#include <string_view>
#include <unordered_map>

#include "io/pickle_stack.h"

namespace torsor {

class PickleObjects : public PickleStack {
 protected:
  PickleObjects(Pickle& pickle, std::string_view bytes, const std::string& source,
                const Pickle::KnownCalls& known, std::uint64_t begins_at)
      : PickleStack(pickle, bytes, source, begins_at), known_(known) {}

  /// False for an instruction of another sort.
  bool step_object(unsigned char op);

 private:
  PickleValue* global(std::string_view module, std::string_view name);
  PickleValue* global_by_lines();
  PickleValue* global_by_stack();
  void push_opaque(const PickleValue* callee);
  void call();
  void make(const PickleValue& callee, const PickleValue& arguments);
  void make_dict(const PickleValue& arguments, std::size_t skipped);
  Values dict_items(const PickleValue& content);
  void make_of_marked();
  void make_with_keywords();
  void persistent();
  void set_attributes();

  const Pickle::KnownCalls& known_;
  std::unordered_map<std::string_view, PickleValue*> globals_;
};

}  // namespace torsor
