#include "io/pickle_objects.h"

#include <algorithm>
#include <array>

namespace torsor {

namespace {

using namespace pickle;

constexpr std::string_view kDefaultDict = "collections.defaultdict";
constexpr std::array<std::string_view, 5> kDicts = {
    "collections.OrderedDict", kDefaultDict, "collections.Counter", "builtins.dict", "__builtin__.dict"};

bool is_dict_type(std::string_view name) {
  return std::find(kDicts.begin(), kDicts.end(), name) != kDicts.end();
}

}  // namespace

// Every mention of one name shares one value: names are longer than the instruction that repeats them.
PickleValue* PickleObjects::global(std::string_view module, std::string_view name) {
  std::string qualified(module.substr(0, Pickle::kLongestGlobal));
  qualified += '.';
  qualified += name.substr(0, Pickle::kLongestGlobal);
  if (qualified.size() > Pickle::kLongestGlobal) qualified.resize(Pickle::kLongestGlobal);
  const auto found = globals_.find(qualified);
  if (found != globals_.end()) return found->second;
  PickleValue& value = PickleStack::make(Kind::kGlobal);
  value.text = keep(std::move(qualified));
  globals_.emplace(value.text, &value);
  return &value;
}

PickleValue* PickleObjects::global_by_lines() {
  const std::string_view module = bytes_.take_line();
  return global(module, bytes_.take_line());
}

PickleValue* PickleObjects::global_by_stack() {
  const PickleValue* name = pop();
  const PickleValue* module = pop();
  if (!name->is(Kind::kText) || !module->is(Kind::kText)) damaged("a global's name is not text");
  return global(module->text, name->text);
}

void PickleObjects::push_opaque(const PickleValue* callee) {
  push(Kind::kOpaque).callee = callee != nullptr && callee->is(Kind::kGlobal) ? callee : nullptr;
}

void PickleObjects::call() {
  const PickleValue* arguments = pop();
  make(*pop(), *arguments);
}

void PickleObjects::make(const PickleValue& callee, const PickleValue& arguments) {
  // Streams of old hold the class of a module as a persistent object.
  if (callee.is(Kind::kOpaque) || callee.is(Kind::kPersistent)) return push_opaque(nullptr);
  if (!callee.is(Kind::kGlobal)) damaged("it calls something that is not a named function");
  const bool is_dict = is_dict_type(callee.text);
  if (!is_dict && !known_(callee.text)) return push_opaque(&callee);
  if (!arguments.is(Kind::kTuple)) damaged("a call's arguments are not a tuple");
  if (is_dict) return make_dict(arguments, callee.text == kDefaultDict ? 1 : 0);
  spend(arguments.items.size());  // they may be shared by many calls
  PickleValue& value = push(Kind::kCall);
  value.callee = &callee;
  value.items = arguments.items;
}

// Empty and filled later; or with a dict (Counter); or, by Python 2, with one list of [key, value] pairs.
// What makes the missing values of a defaultdict is skipped.
void PickleObjects::make_dict(const PickleValue& arguments, std::size_t skipped) {
  const std::size_t count = arguments.items.size() - std::min(skipped, arguments.items.size());
  if (count > 1) damaged("a dict made from several things");
  push_items(Kind::kDict, count == 0 ? Values() : dict_items(*arguments.items.back()));
}

PickleStack::Values PickleObjects::dict_items(const PickleValue& content) {
  spend(content.items.size());
  if (content.is(Kind::kDict)) return content.items;
  if (!content.is(Kind::kList)) damaged("a dict made from no list");
  Values items;
  for (const PickleValue* pair : content.items) {
    if (!(pair->is(Kind::kList) || pair->is(Kind::kTuple)) || pair->items.size() != 2)
      damaged("a dict made from something that is not pairs");
    items.insert(items.end(), pair->items.begin(), pair->items.end());
  }
  return items;
}

// The class and its arguments stand above a mark.
void PickleObjects::make_of_marked() {
  const Values values = pop_to_mark();
  if (values.empty()) damaged("it makes an object of no class");
  push_opaque(values.front());
}

void PickleObjects::make_with_keywords() {
  const Values values = pop_several(3);  // class, arguments, keywords
  push_opaque(values.front());
}

void PickleObjects::persistent() {
  const PickleValue* id = pop();
  PickleValue& value = push(Kind::kPersistent);
  value.items = {id};
  keep_persistent(value);
}

// Attributes (of a state dict: _metadata, the versions of its layers) say nothing about weights.
void PickleObjects::set_attributes() {
  pop();
  const PickleValue* target = top();
  if (!target->is(Kind::kDict) && !target->is(Kind::kOpaque) && !target->is(Kind::kCall))
    damaged("it sets attributes of something that is neither a dict nor an object");
}

bool PickleObjects::step_object(unsigned char op) {
  switch (op) {
    case kGlobal:
      push_known(global_by_lines());
      return true;
    case kStackGlobal:
      push_known(global_by_stack());
      return true;
    case kReduce:
    case kNewObj:
      call();
      return true;
    case kNewObjEx:
      make_with_keywords();
      return true;
    case kInst: {
      const PickleValue* type = global_by_lines();
      pop_to_mark();
      push_opaque(type);
      return true;
    }
    case kObj:
      make_of_marked();
      return true;
    case kExt1:
    case kExt2:
    case kExt4:  // a number of a registry that only the writer had
      bytes_.take(op == kExt1 ? 1 : op == kExt2 ? 2 : 4);
      push_opaque(nullptr);
      return true;
    case kPersId:  // of protocol 0, in which torch writes no storages
      bytes_.take_line();
      push_opaque(nullptr);
      return true;
    case kBinPersId:
      persistent();
      return true;
    case kBuild:
      set_attributes();
      return true;
    default:
      return false;
  }
}

}  // namespace torsor
