#include "dist/context.h"

#include <ATen/ATen.h>

#include <cstring>
#include <vector>

#include "core/rng.h"

namespace torsor {

Context& single_rank() {
  static SingleRank alone;
  return alone;
}

// As CBOR, which, unlike JSON's text, has NaN and infinities.
Json from_first(Context& context, const Json& value) {
  if (context.is_alone()) return value;
  const std::vector<std::uint8_t> here =
      context.is_first() ? Json::to_cbor(value) : std::vector<std::uint8_t>();
  const at::Tensor length = at::full({1}, static_cast<std::int64_t>(here.size()), at::kLong);
  context.broadcast(length, 0);
  const at::Tensor bytes = at::empty({length.item<std::int64_t>()}, at::kByte);
  if (context.is_first()) std::memcpy(bytes.data_ptr(), here.data(), here.size());
  context.broadcast(bytes, 0);
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  return Json::from_cbor(data, data + bytes.numel());
}

bool on_any_rank(Context& context, bool here) {
  if (context.is_alone()) return here;
  const at::Tensor count = at::full({1}, here ? 1 : 0, at::kLong);
  context.all_reduce(count);
  return count.item<std::int64_t>() > 0;
}

std::uint64_t rank_seed(std::uint64_t seed, const Context& context) {
  return context.is_first() ? seed : derive_seed(seed, "rank", {static_cast<std::uint64_t>(context.rank())});
}

}  // namespace torsor
