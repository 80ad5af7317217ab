#include "io/tensor_rebuild.h"

#include <ATen/ops/as_strided.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "io/raw_tensor.h"

namespace torsor {

namespace {

using Kind = PickleValue::Kind;

// Those that are read stand first.
constexpr std::size_t kReadStorages = 10;
constexpr std::array<std::pair<std::string_view, at::ScalarType>, 16> kStorages = {{
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
    {"torch.ComplexDoubleStorage", at::kComplexDouble},
    {"torch.ComplexFloatStorage", at::kComplexFloat},
    {"torch.QInt32Storage", at::kQInt32},
    {"torch.QInt8Storage", at::kQInt8},
    {"torch.QUInt8Storage", at::kQUInt8},
    {"torch.UntypedStorage", at::kByte},  // counted in bytes
}};

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kRebuildTensorV2 = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr std::string_view kRebuildParameterWithState = "torch._utils._rebuild_parameter_with_state";
constexpr std::string_view kRebuildFromType = "torch._tensor._rebuild_from_type_v2";
constexpr std::string_view kSize = "torch.Size";

// Tensors that no float weight is: the word for each.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kUnread = {{
    {"torch._utils._rebuild_tensor_v3",
     "of a dtype that torch keeps in raw bytes (float8, uint16 and others)"},
    {"torch._utils._rebuild_qtensor", "quantised"},
    {"torch._utils._rebuild_sparse_tensor", "sparse"},
    {"torch._utils._rebuild_meta_tensor_no_storage", "without values (of the meta device)"},
    {"torch._utils._rebuild_device_tensor_from_numpy", "a NumPy array in a tensor's place"},
}};

std::string_view unread_kind(std::string_view function) {
  for (const auto& [name, kind] : kUnread)
    if (name == function) return kind;
  return "";
}

bool is_read(at::ScalarType dtype) {
  return std::any_of(kStorages.begin(), kStorages.begin() + kReadStorages,
                     [&](const auto& storage) { return storage.second == dtype; });
}

std::optional<at::ScalarType> storage_dtype(std::string_view global) {
  for (const auto& [name, dtype] : kStorages)
    if (name == global) return dtype;
  return std::nullopt;
}

// The call that rebuilds a tensor, without what is wrapped around it.
struct TensorCall {
  std::string_view function;
  const std::vector<const PickleValue*>* arguments = nullptr;
  std::uint64_t at = 0;
};

std::optional<TensorCall> tensor_call(const PickleValue& value) {
  constexpr int kMaxWraps = 4;  // a parameter wraps a tensor, once; the bound is for hostile files
  const PickleValue* inner = &value;
  for (int i = 0; i < kMaxWraps && inner->is(Kind::kCall) && !inner->items.empty(); ++i) {
    const std::string_view function = inner->callee->text;
    const auto& items = inner->items;
    if (function == kSize) return std::nullopt;
    if (function == kRebuildFromType) {  // (function, class of the tensor, arguments, attributes)
      const bool sound = items.size() >= 3 && items[0]->is(Kind::kGlobal) && items[2]->is(Kind::kTuple);
      if (!sound) return std::nullopt;
      return TensorCall{items[0]->text, &items[2]->items, inner->at};
    }
    if (function != kRebuildParameter && function != kRebuildParameterWithState)
      return TensorCall{function, &items, inner->at};
    inner = items.front();
  }
  return std::nullopt;
}

void refuse_unread(const TensorCall& call, const std::string& what) {
  if (call.function == kRebuildTensor || call.function == kRebuildTensorV2) return;
  const std::string_view kind = unread_kind(call.function);
  fail("{} is {}, which torsor does not read; save it as an ordinary float tensor", what,
       kind.empty() ? "made by " + printable(call.function) : std::string(kind));
}

// The seventh argument of _rebuild_tensor_v2: conjugate or negative bits that are not in the data yet.
void refuse_lazy_bits(const TensorCall& call, const std::string& what) {
  const auto& arguments = *call.arguments;
  if (arguments.size() >= 7 && arguments[6]->is(Kind::kDict) && !arguments[6]->items.empty())
    fail("{} is a lazily negated or conjugated view; save tensor.resolve_neg().clone() instead", what);
}

std::vector<std::int64_t> sizes_in(const PickleValue& value, const std::string& what) {
  const PickleValue* tuple = &value;
  if (value.is(Kind::kCall) && value.callee->text == kSize && value.items.size() == 1)
    tuple = value.items.front();
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

}  // namespace

struct TensorBuilder::View {
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;

  // The index of the last element it touches, or nothing when that overflows. No size may be zero.
  std::optional<std::int64_t> last_element() const {
    std::int64_t last = offset;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      std::int64_t reach = 0;
      if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach)) return std::nullopt;
      if (__builtin_add_overflow(last, reach, &last)) return std::nullopt;
    }
    return last;
  }

  void check(const StorageId& id, const std::string& what) const {
    if (shape.size() != strides.size()) fail("{} is damaged: sizes and strides differ in number", what);
    const std::optional<std::int64_t> count = count_elements(shape);
    if (!count) fail("{} is damaged: its size {} is impossible", what, shape_text(shape));
    if (offset < 0 || offset > id.view_count)
      fail("{} is damaged: its offset {} is outside its storage of {}", what, offset, id.view_count);
    if (*count == 0) return;
    const std::optional<std::int64_t> last = last_element();
    if (!last || *last >= id.view_count)
      fail("{} is damaged: it reaches beyond its storage of {} elements", what, id.view_count);
  }
};

at::Tensor TensorBuilder::build(const PickleValue& value, std::string_view name) {
  const TensorCall call = tensor_call(value).value();
  const std::string what = fmt::format("{}: tensor '{}' (before byte {})", source_, printable(name), call.at);
  refuse_unread(call, what);
  const auto& arguments = *call.arguments;
  if (arguments.size() < 4 || !arguments[0]->is(Kind::kPersistent) || !arguments[1]->is(Kind::kInteger))
    fail("{} is damaged: it is not described by a storage, an offset, a size and strides", what);
  refuse_lazy_bits(call, what);
  const View view{arguments[1]->integer, sizes_in(*arguments[2], what), sizes_in(*arguments[3], what)};
  const StorageId id = parse_storage_id(*arguments[0], source_);
  if (!is_read(id.dtype))
    fail("{} has the dtype {}, which torsor does not read; save it as an ordinary float tensor", what,
         c10::toString(id.dtype));
  return cut(id, view, what);
}

void TensorBuilder::spend(const View& view, at::ScalarType dtype, const std::string& what) {
  bytes_ += static_cast<std::uint64_t>(*count_elements(view.shape)) * c10::elementSize(dtype);
  if (bytes_ > max_bytes_)
    fail("{}: the tensors up to here would take {}, far more than the file holds; refusing the file", what,
         human_bytes(static_cast<double>(bytes_)));
}

at::Tensor TensorBuilder::cut(const StorageId& id, const View& view, const std::string& what) {
  view.check(id, what);
  spend(view, id.dtype, what);
  at::Tensor out = allocate_tensor(view.shape, id.dtype, what);
  if (out.numel() == 0) return out;
  out.copy_(at::as_strided(loaded(id, what), view.shape, view.strides, id.view_offset + view.offset));
  return out;
}

const at::Tensor& TensorBuilder::loaded(const StorageId& id, const std::string& what) {
  const auto known = cache_.find(id.key);
  if (known == cache_.end()) return cache_.emplace(id.key, storages_.load(id)).first->second;
  if (known->second.scalar_type() != id.dtype || known->second.numel() != id.count)
    fail("{} is damaged: its storage '{}' is described in two ways", what, printable(id.key));
  return known->second;
}

bool is_tensor_call(std::string_view function) {
  return function == kRebuildTensor || function == kRebuildTensorV2 || function == kRebuildParameter ||
         function == kRebuildParameterWithState || function == kRebuildFromType || function == kSize ||
         !unread_kind(function).empty();
}

bool is_tensor(const PickleValue& value) { return tensor_call(value).has_value(); }

bool is_storage_id(const PickleValue& persistent) {
  const PickleValue& id = *persistent.items.front();
  return id.is(Kind::kTuple) && !id.items.empty() && id.items[0]->is(Kind::kText) &&
         id.items[0]->text == "storage";
}

std::string_view storage_type_name(at::ScalarType dtype) {
  for (const auto& [name, known] : kStorages)
    if (known == dtype && is_read(dtype)) return name.substr(std::string_view("torch.").size());
  return "";
}

StorageId parse_storage_id(const PickleValue& persistent, const std::string& source) {
  const PickleValue& id = *persistent.items.front();
  const auto has = [&](std::size_t i, Kind kind) { return i < id.items.size() && id.items[i]->is(kind); };
  const bool well_formed =
      is_storage_id(persistent) && has(1, Kind::kGlobal) && has(2, Kind::kText) && has(4, Kind::kInteger);
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

}  // namespace torsor
