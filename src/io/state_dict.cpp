#include "io/state_dict.h"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "io/raw_tensor.h"

namespace torsor {

namespace {

using Kind = PickleValue::Kind;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kStorages = {{
    {"torch.DoubleStorage", at::kDouble},
    {"torch.FloatStorage", at::kFloat},
    {"torch.HalfStorage", at::kHalf},
    {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},
    {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort},
    {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},
    {"torch.BoolStorage", at::kBool},
}};

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kRebuildTensorV2 = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

// Names of plain data. They are written down, never called.
constexpr std::array<std::string_view, 25> kPlainGlobals = {
    "collections.OrderedDict",
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
    "torch.float64",
    "torch.float32",
    "torch.float16",
    "torch.bfloat16",
    "torch.int64",
    "torch.int32",
    "torch.int16",
    "torch.int8",
    "torch.uint8",
    "torch.bool",
    "_codecs.encode",  // bytes, the way protocol 2 writes them
    "builtins.set",
    "builtins.frozenset",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.slice",
    "__builtin__.set",  // the same in Python 2's names, which protocol 2 uses
    "__builtin__.frozenset",
    "__builtin__.bytearray",
    "__builtin__.complex",
    "__builtin__.slice",
};

std::optional<at::ScalarType> storage_dtype(std::string_view global) {
  for (const auto& [name, dtype] : kStorages)
    if (name == global) return dtype;
  return std::nullopt;
}

bool calls(const PickleValue& value, std::string_view function) {
  return value.is(Kind::kCall) && value.callee->text == function;
}

// Parameters wrap a tensor, once; the bound is for hostile files.
const PickleValue& unwrap_parameter(const PickleValue& value) {
  constexpr int kMaxWraps = 4;
  const PickleValue* inner = &value;
  for (int i = 0; i < kMaxWraps && calls(*inner, kRebuildParameter) && !inner->items.empty(); ++i)
    inner = inner->items.front();
  return *inner;
}

bool is_tensor(const PickleValue& value) {
  const PickleValue& inner = unwrap_parameter(value);
  return calls(inner, kRebuildTensor) || calls(inner, kRebuildTensorV2);
}

struct View {
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

// The index of the last element a view touches, or nothing when that overflows. No size may be zero.
std::optional<std::int64_t> last_element(const View& view) {
  std::int64_t last = view.offset;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(view.shape[i] - 1, view.strides[i], &reach)) return std::nullopt;
    if (__builtin_add_overflow(last, reach, &last)) return std::nullopt;
  }
  return last;
}

class TensorBuilder {
 public:
  TensorBuilder(StorageSource& storages, std::uint64_t max_bytes, const std::string& source)
      : storages_(storages), max_bytes_(max_bytes), source_(source) {}

  at::Tensor build(const PickleValue& value, std::string_view name) {
    const PickleValue& call = unwrap_parameter(value);
    const std::string what =
        fmt::format("{}: tensor '{}' (before byte {})", source_, printable(name), call.at);
    if (call.items.size() < 4 || !call.items[0]->is(Kind::kPersistent) || !call.items[1]->is(Kind::kInteger))
      fail("{} is damaged: it is not described by a storage, an offset, a size and strides", what);
    refuse_lazy_bits(call, what);
    const View view{call.items[1]->integer, integers(*call.items[2], what), integers(*call.items[3], what)};
    return cut(parse_storage_id(*call.items[0], source_), view, what);
  }

 private:
  // The seventh argument of _rebuild_tensor_v2: conjugate or negative bits that are not in the data yet.
  void refuse_lazy_bits(const PickleValue& call, const std::string& what) const {
    if (call.items.size() >= 7 && call.items[6]->is(Kind::kDict) && !call.items[6]->items.empty())
      fail("{} is a lazily negated or conjugated view; save tensor.resolve_neg().clone() instead", what);
  }

  std::vector<std::int64_t> integers(const PickleValue& value, const std::string& what) const {
    const PickleValue* tuple = &value;
    if (calls(value, "torch.Size") && value.items.size() == 1) tuple = value.items.front();
    std::vector<std::int64_t> numbers;
    const bool right_kind = tuple->is(Kind::kTuple) || tuple->is(Kind::kList);
    constexpr std::size_t kMaxDimensions = 64;
    if (!right_kind || tuple->items.size() > kMaxDimensions)
      fail("{} is damaged: its size or strides are not a tuple of at most {} numbers", what, kMaxDimensions);
    for (const PickleValue* item : tuple->items) {
      if (!item->is(Kind::kInteger) || item->integer < 0)
        fail("{} is damaged: a size or stride is not a number from 0 up", what);
      numbers.push_back(item->integer);
    }
    return numbers;
  }

  void check(const View& view, const StorageId& id, const std::string& what) const {
    if (view.shape.size() != view.strides.size())
      fail("{} is damaged: sizes and strides differ in number", what);
    const std::optional<std::int64_t> count = count_elements(view.shape);
    if (!count) fail("{} is damaged: its size {} is impossible", what, shape_text(view.shape));
    if (view.offset < 0 || view.offset > id.view_count)
      fail("{} is damaged: its offset {} is outside its storage of {}", what, view.offset, id.view_count);
    if (*count == 0) return;
    const std::optional<std::int64_t> last = last_element(view);
    if (!last || *last >= id.view_count)
      fail("{} is damaged: it reaches beyond its storage of {} elements", what, id.view_count);
  }

  void spend(const View& view, at::ScalarType dtype, const std::string& what) {
    bytes_ += static_cast<std::uint64_t>(*count_elements(view.shape)) * c10::elementSize(dtype);
    if (bytes_ > max_bytes_)
      fail("{}: the tensors up to here would take {}, far more than the file holds; refusing the file", what,
           human_bytes(static_cast<double>(bytes_)));
  }

  at::Tensor cut(const StorageId& id, const View& view, const std::string& what) {
    check(view, id, what);
    spend(view, id.dtype, what);
    at::Tensor out = allocate_tensor(view.shape, id.dtype, what);
    if (out.numel() == 0) return out;
    const at::Tensor& storage = loaded(id, what);
    out.copy_(at::as_strided(storage, view.shape, view.strides, id.view_offset + view.offset));
    return out;
  }

  const at::Tensor& loaded(const StorageId& id, const std::string& what) {
    const auto known = cache_.find(id.key);
    if (known == cache_.end()) return cache_.emplace(id.key, storages_.load(id)).first->second;
    if (known->second.scalar_type() != id.dtype || known->second.numel() != id.count)
      fail("{} is damaged: its storage '{}' is described in two ways", what, printable(id.key));
    return known->second;
  }

  StorageSource& storages_;
  std::uint64_t max_bytes_;
  const std::string& source_;
  std::uint64_t bytes_ = 0;
  std::map<std::string, at::Tensor> cache_;
};

bool holds_tensors(const PickleValue& dict) {
  for (std::size_t i = 1; i < dict.items.size(); i += 2)
    if (is_tensor(*dict.items[i])) return true;
  return false;
}

struct Found {
  std::string path;  // "model.netG"; empty for the root
  const PickleValue* dict = nullptr;
};

// Dicts that hold tensors themselves, reached from the root through text keys. (Optimizer states hang under
// numbers, so they are no candidates.)
class StateDictSearch {
 public:
  std::vector<Found> run(const PickleValue& root) {
    visit(root, "", 0);
    return std::move(found_);
  }

 private:
  void visit(const PickleValue& value, const std::string& path, int depth) {
    constexpr int kMaxDepth = 3;
    if (!value.is(Kind::kDict) || depth > kMaxDepth || !seen_.insert(&value).second) return;
    if (holds_tensors(value)) found_.push_back({path, &value});
    for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
      const PickleValue& key = *value.items[i];
      if (!key.is(Kind::kText)) continue;
      const std::string name = printable(key.text);
      visit(*value.items[i + 1], path.empty() ? name : path + "." + name, depth + 1);
    }
  }

  std::set<const PickleValue*> seen_;
  std::vector<Found> found_;
};

const PickleValue& choose_state_dict(const PickleValue& root, const std::string& source) {
  if (is_tensor(root)) fail("{}: holds a single tensor, expected a state dict of named tensors", source);
  if (!root.is(Kind::kDict))
    fail(
        "{}: is not a state dict: it holds no dict of tensors (in Python: torch.save(net.state_dict(), "
        "path))",
        source);
  const std::vector<Found> found = StateDictSearch().run(root);
  if (found.empty()) fail("{}: is not a state dict: no tensors are in it", source);
  if (found.size() == 1) return *found.front().dict;
  std::vector<std::string> names;
  for (const Found& one : found) names.push_back(one.path.empty() ? "the top level" : one.path);
  constexpr std::size_t kMostNames = 12;
  if (names.size() > kMostNames) {
    names.resize(kMostNames);
    names.push_back("...");
  }
  fail("{}: holds {} state dicts ({}); save the one that is meant to a file of its own", source, found.size(),
       join(names));
}

// Entries without a tensor (counters, notes) are left out; a repeated key keeps its place and its last value,
// as in Python.
std::vector<std::pair<std::string, const PickleValue*>> tensor_entries(const PickleValue& dict,
                                                                       const std::string& source) {
  std::vector<std::pair<std::string, const PickleValue*>> entries;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    const PickleValue* value = dict.items[i + 1];
    if (!is_tensor(*value)) continue;
    if (!key.is(Kind::kText))
      fail("{}: is not a state dict: a tensor's name, before byte {}, is not text", source, key.at);
    const auto [place, is_new] = places.emplace(key.text, entries.size());
    if (is_new)
      entries.emplace_back(key.text, value);
    else
      entries[place->second].second = value;
  }
  return entries;
}

// DataParallel puts this in front of every name.
void strip_data_parallel(TensorMap& tensors) {
  constexpr std::string_view kPrefix = "module.";
  const bool all = std::all_of(tensors.begin(), tensors.end(),
                               [&](const auto& entry) { return entry.first.starts_with(kPrefix); });
  if (!all) return;
  for (auto& entry : tensors) entry.first.erase(0, kPrefix.size());
}

}  // namespace

bool is_state_dict_global(std::string_view name) {
  return name == kRebuildTensor || name == kRebuildTensorV2 || name == kRebuildParameter ||
         storage_dtype(name) ||
         std::find(kPlainGlobals.begin(), kPlainGlobals.end(), name) != kPlainGlobals.end();
}

std::string_view storage_type_name(at::ScalarType dtype) {
  for (const auto& [name, known] : kStorages)
    if (known == dtype) return name.substr(std::string_view("torch.").size());
  return "";
}

StorageId parse_storage_id(const PickleValue& persistent, const std::string& source) {
  const PickleValue& id = *persistent.items.front();
  const auto has = [&](std::size_t i, Kind kind) { return i < id.items.size() && id.items[i]->is(kind); };
  const bool well_formed = id.is(Kind::kTuple) && has(0, Kind::kText) && id.items[0]->text == "storage" &&
                           has(1, Kind::kGlobal) && has(2, Kind::kText) && has(4, Kind::kInteger);
  if (!well_formed)
    fail("{}: is damaged: it refers to something that is not a storage, before byte {}", source,
         persistent.at);
  const std::optional<at::ScalarType> dtype = storage_dtype(id.items[1]->text);
  if (!dtype)
    fail("{}: is damaged: '{}' before byte {} is not a kind of storage", source, printable(id.items[1]->text),
         persistent.at);
  StorageId out{std::string(id.items[2]->text), *dtype, id.items[4]->integer, 0, id.items[4]->integer};
  if (!count_elements({out.count}))
    fail("{}: is damaged: a storage of {} elements, before byte {}, is impossible", source, out.count,
         persistent.at);
  if (!has(5, Kind::kTuple)) return out;

  const std::vector<const PickleValue*>& view = id.items[5]->items;  // key, offset, element count
  if (view.size() != 3 || !view[1]->is(Kind::kInteger) || !view[2]->is(Kind::kInteger))
    fail("{}: is damaged: a view of a storage is not described by an offset and a count, before byte {}",
         source, persistent.at);
  out.view_offset = view[1]->integer;
  out.view_count = view[2]->integer;
  if (out.view_offset < 0 || out.view_offset > out.count || out.view_count < 0 ||
      out.view_count > out.count - out.view_offset)
    fail("{}: is damaged: a view reaches beyond its storage, before byte {}", source, persistent.at);
  return out;
}

TensorMap extract_state_dict(const PickleValue& root, StorageSource& storages, std::uint64_t max_bytes,
                             const std::string& source) {
  TensorBuilder builder(storages, max_bytes, source);
  TensorMap tensors;
  for (const auto& [name, value] : tensor_entries(choose_state_dict(root, source), source))
    tensors.emplace_back(name, builder.build(*value, name));
  strip_data_parallel(tensors);
  return tensors;
}

}  // namespace torsor
