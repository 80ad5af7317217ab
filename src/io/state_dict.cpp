#include "io/state_dict.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

using Kind = PickleValue::Kind;

struct FoundDict {
  std::string name;  // "model.netG"; empty for the root
  const PickleValue* dict = nullptr;
};

// Whether a value of a dict counts as a tensor of a state dict, and whether a module named it: "conv.weight".
enum class Naming { none, plain, dotted };

Naming naming_of(const PickleValue& dict) {
  Naming naming = Naming::none;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    if (!key.is(Kind::kText) || !is_tensor(*dict.items[i + 1])) continue;
    if (key.text.find('.') != std::string_view::npos) return Naming::dotted;
    naming = Naming::plain;
  }
  return naming;
}

// Dicts that hold tensors, reached from the root through dicts with text keys, lists and tuples. (The states
// of optimizers hang under numbers.) Tensors without dots in their names are a state dict only where nothing
// below or beside them is a better one: a loss, the state of a random generator.
class StateDictSearch {
 public:
  std::vector<FoundDict> run(const PickleValue& root) {
    visit(root, "", 0);
    const bool any_dotted = std::any_of(found_.begin(), found_.end(),
                                        [](const auto& one) { return one.second == Naming::dotted; });
    std::vector<FoundDict> chosen;
    for (auto& [dict, naming] : found_)
      if (naming == Naming::dotted || !any_dotted) chosen.push_back(std::move(dict));
    return chosen;
  }

 private:
  // Whether anything was found.
  bool visit(const PickleValue& value, const std::string& name, int depth) {
    constexpr int kMaxDepth = 5;
    const bool is_list = value.is(Kind::kList) || value.is(Kind::kTuple);
    if (!is_list && !value.is(Kind::kDict)) return false;
    if (depth > kMaxDepth || !may_enter(value)) return false;
    ancestors_.push_back(&value);
    const std::size_t place = found_.size();
    const auto below = [&](const std::string& part) { return name.empty() ? part : name + "." + part; };
    for (std::size_t i = 0; is_list && i < value.items.size(); ++i)
      visit(*value.items[i], below(std::to_string(i)), depth + 1);
    for (std::size_t i = 0; !is_list && i + 1 < value.items.size(); i += 2)
      if (value.items[i]->is(Kind::kText))
        visit(*value.items[i + 1], below(printable(value.items[i]->text)), depth + 1);
    ancestors_.pop_back();
    if (is_list) return found_.size() > place;
    const Naming naming = naming_of(value);
    if (naming == Naming::dotted || (naming == Naming::plain && found_.size() == place))
      found_.insert(found_.begin() + static_cast<std::ptrdiff_t>(place), {{name, &value}, naming});
    return found_.size() > place;
  }

  // One dict may stand in several places, as in {"model": state, "best": state}; a hostile file could repeat
  // it without end.
  bool may_enter(const PickleValue& value) {
    constexpr int kMostRepeats = 32;
    if (std::find(ancestors_.begin(), ancestors_.end(), &value) != ancestors_.end()) return false;
    return seen_.insert(&value).second || ++repeats_ <= kMostRepeats;
  }

  std::set<const PickleValue*> seen_;
  std::vector<const PickleValue*> ancestors_;
  int repeats_ = 0;
  std::vector<std::pair<FoundDict, Naming>> found_;
};

std::string class_of(const PickleValue& opaque) {
  return opaque.callee == nullptr ? "an unknown class" : printable(opaque.callee->text);
}

// "netG (models.networks.ResnetGenerator), opt (argparse.Namespace)": what a file has in place of tensors.
std::string opaque_entries(const PickleValue& root) {
  constexpr std::size_t kShown = 4;
  std::vector<std::string> shown;
  for (std::size_t i = 0; root.is(Kind::kDict) && i + 1 < root.items.size() && shown.size() < kShown; i += 2)
    if (root.items[i]->is(Kind::kText) && root.items[i + 1]->is(Kind::kOpaque))
      shown.push_back(fmt::format("{} ({})", printable(root.items[i]->text), class_of(*root.items[i + 1])));
  return join(shown);
}

[[noreturn]] void refuse(const PickleValue& root, const std::string& source) {
  constexpr std::string_view kAdvice = "in Python: torch.save(net.state_dict(), path)";
  if (is_tensor(root)) fail("{}: holds a single tensor, expected a state dict of named tensors", source);
  if (root.is(Kind::kOpaque))
    fail(
        "{}: is not a state dict but a pickled object of class {}; nothing was executed; save the weights "
        "alone "
        "({})",
        source, class_of(root), kAdvice);
  const std::string objects = opaque_entries(root);
  if (!objects.empty())
    fail(
        "{}: is not a state dict: no tensors are in it but pickled objects: {}; nothing was executed; save "
        "the "
        "weights alone ({})",
        source, objects, kAdvice);
  fail("{}: is not a state dict: no tensors are in it ({})", source, kAdvice);
}

// Entries without a tensor (counters, notes) are left out; a repeated key keeps its place and its last value,
// as in Python.
std::vector<std::pair<std::string, const PickleValue*>> tensor_entries(const PickleValue& dict) {
  std::vector<std::pair<std::string, const PickleValue*>> entries;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    const PickleValue* value = dict.items[i + 1];
    if (!key.is(Kind::kText) || !is_tensor(*value)) continue;
    const auto [place, is_new] = places.emplace(key.text, entries.size());
    if (is_new)
      entries.emplace_back(key.text, value);
    else
      entries[place->second].second = value;
  }
  return entries;
}

}  // namespace

std::vector<StateDict> extract_state_dicts(const PickleValue& root, StorageSource& storages,
                                           std::uint64_t max_bytes, const std::string& source) {
  TensorBuilder builder(storages, max_bytes, source);
  std::vector<StateDict> out;
  for (const FoundDict& found : StateDictSearch().run(root)) {
    StateDict& dict = out.emplace_back(StateDict{found.name, {}, ""});
    try {
      for (const auto& [name, value] : tensor_entries(*found.dict))
        dict.tensors.emplace_back(name, builder.build(*value, name));
    } catch (const Error& error) {
      dict.tensors.clear();
      dict.problem = error.what();
    }
  }
  if (out.empty()) refuse(root, source);
  return out;
}

}  // namespace torsor
