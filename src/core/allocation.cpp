#include "core/allocation.h"

#include <cstdlib>
#include <limits>
#include <new>
#include <string_view>

#include "core/error.h"
#include "core/machine.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace torsor {

namespace {

// libtorch's on a CPU: "[enforce fail at ...] DefaultCPUAllocator: can't allocate memory: you tried to
// allocate 12 bytes. ..."; CUDA's: "CUDA out of memory. Tried to allocate 2.00 GiB. ...".
struct Wording {
  std::string_view sign, before_amount;
};
constexpr Wording kWordings[] = {{"can't allocate memory", "tried to allocate "},
                                 {"out of memory", "Tried to allocate "}};

std::string amount_in(std::string_view text, std::string_view before) {
  const auto at = text.find(before);
  if (at == std::string_view::npos) return "";
  const std::string rest(text.substr(at + before.size()));
  char* end = nullptr;
  const double number = std::strtod(rest.c_str(), &end);
  if (end == rest.c_str()) return "";
  if (std::string_view(end).starts_with(" bytes")) return human_bytes(number);
  return rest.substr(0,
                     rest.find('.', static_cast<std::size_t>(end - rest.c_str())));  // "2.50 GiB. GPU 0 has"
}

}  // namespace

std::optional<std::string> allocation_failure(const std::exception& error, const std::string& purpose,
                                              const std::string& advice) {
  if (dynamic_cast<const Error*>(&error) != nullptr) return std::nullopt;  // says what it has to already
  const std::string_view text = error.what();
  const Wording* wording = nullptr;
  for (const Wording& known : kWordings)
    if (wording == nullptr && text.find(known.sign) != std::string_view::npos) wording = &known;
  if (wording == nullptr && dynamic_cast<const std::bad_alloc*>(&error) == nullptr) return std::nullopt;
  const std::string amount = wording == nullptr ? "" : amount_in(text, wording->before_amount);
  std::string line = "out of memory";
  if (!purpose.empty()) line += " in " + purpose;
  if (!amount.empty()) line += fmt::format(": {} more were asked for", amount);
  const MemoryRoom room = memory_room();
  if (text.find("CUDA") == std::string_view::npos)
    line += fmt::format("{} {} {}", amount.empty() ? ":" : ", and", room.bound, human_bytes(room.bytes));
  return one_line(line + "; " + advice);
}

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_MAX, 0);  // the threshold of its own mappings goes up to 32 MiB only
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 * kMiB);
#endif
}

}  // namespace torsor
