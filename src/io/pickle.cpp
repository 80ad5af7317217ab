#include "io/pickle.h"

#include <bit>
#include <optional>
#include <utility>

#include "core/error.h"
#include "io/pickle_bytes.h"
#include "io/pickle_objects.h"
#include "io/pickle_text.h"

namespace torsor {

namespace {

using namespace pickle;

}  // namespace

class PickleMachine : public PickleObjects {
 public:
  PickleMachine(Pickle& pickle, std::string_view bytes, const std::string& source,
                const Pickle::KnownCalls& known, std::uint64_t begins_at)
      : PickleObjects(pickle, bytes, source, known, begins_at) {}

  void run() {
    while (step(static_cast<unsigned char>(bytes_.take_number(1)))) continue;
    finish();
  }

 private:
  // Protocols 0 and 1 do not say their number.
  void check_protocol() {
    const std::uint64_t protocol = bytes_.take_number(1);
    if (protocol < 2 || protocol > 5)
      fail("{}: holds a pickle of protocol {} before byte {}, expected 2 to 5", source_, protocol,
           position());
  }

  void push_long(std::string_view raw) {
    if (raw.size() > 8) return push_text(Kind::kBigInteger, raw);
    std::uint64_t number = !raw.empty() && (raw.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = raw.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(raw[i]);
    push_integer(Kind::kInteger, static_cast<std::int64_t>(number));
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (const unsigned char byte : bytes_.take(8)) bits = bits << 8 | byte;
    push(Kind::kReal).real = std::bit_cast<double>(bits);
  }

  // --- values of protocols 0 and 1, which are lines of text ------------------------------------------------

  void push_decimal() {
    const std::string_view line = bytes_.take_line();
    if (line == "00" || line == "01") return push_integer(Kind::kBool, line == "01");
    const std::optional<std::int64_t> number = decimal(line);
    if (number) return push_integer(Kind::kInteger, *number);
    const std::size_t first = line.starts_with('-') ? 1 : 0;
    const std::size_t end = line.find_first_not_of("0123456789", first);
    if (end == first || (end != std::string_view::npos && line.substr(end) != "L"))
      damaged("a number is not written in digits");
    push_text(Kind::kBigInteger, line);
  }

  void push_real() {
    const std::optional<double> number = pickle::real(bytes_.take_line());
    if (!number) damaged("a number is not written in digits");
    push(Kind::kReal).real = *number;
  }

  void push_string() {
    const std::optional<std::string_view> text = unquoted(bytes_.take_line());
    if (!text) damaged("a text has no quotes around it");
    push_text(Kind::kText, text->find('\\') == std::string_view::npos ? *text : keep(without_escapes(*text)));
  }

  std::uint64_t take_slot() {
    const std::optional<std::int64_t> slot = decimal(bytes_.take_line());
    if (!slot || *slot < 0) damaged("the place of a value is not a number");
    return static_cast<std::uint64_t>(*slot);
  }

  bool step(unsigned char op) {
    if (op == kStop) return false;
    if (!step_scalar(op) && !step_container(op) && !step_stack(op) && !step_memo(op) &&
        !step_old_scalar(op) && !step_object(op))
      fail(
          "{}: uses the pickle instruction {:#04x} before byte {}, which has no place in a weight file; "
          "refusing the file",
          source_, op, position());
    return true;
  }

  bool step_scalar(unsigned char op) {
    switch (op) {
      case kNone:
        push(Kind::kNone);
        return true;
      case kNewTrue:
        push_integer(Kind::kBool, 1);
        return true;
      case kNewFalse:
        push_integer(Kind::kBool, 0);
        return true;
      case kBinInt:
        push_integer(Kind::kInteger, static_cast<std::int32_t>(bytes_.take_number(4)));
        return true;
      case kBinInt1:
        push_integer(Kind::kInteger, static_cast<std::int64_t>(bytes_.take_number(1)));
        return true;
      case kBinInt2:
        push_integer(Kind::kInteger, static_cast<std::int64_t>(bytes_.take_number(2)));
        return true;
      case kLong1:
        push_long(bytes_.take_sized(1));
        return true;
      case kLong4:
        push_long(bytes_.take_sized(4));
        return true;
      case kBinFloat:
        push_float();
        return true;
      case kShortBinString:
      case kShortBinUnicode:
        push_text(Kind::kText, bytes_.take_sized(1));
        return true;
      case kBinString:
      case kBinUnicode:
        push_text(Kind::kText, bytes_.take_sized(4));
        return true;
      case kBinUnicode8:
        push_text(Kind::kText, bytes_.take_sized(8));
        return true;
      case kShortBinBytes:
        push_text(Kind::kBytes, bytes_.take_sized(1));
        return true;
      case kBinBytes:
        push_text(Kind::kBytes, bytes_.take_sized(4));
        return true;
      case kBinBytes8:
      case kByteArray8:
        push_text(Kind::kBytes, bytes_.take_sized(8));
        return true;
      default:
        return false;
    }
  }

  bool step_old_scalar(unsigned char op) {
    switch (op) {
      case kInt:
      case kLong:
        push_decimal();
        return true;
      case kFloat:
        push_real();
        return true;
      case kString:
        push_string();
        return true;
      case kUnicode:
        push_text(Kind::kText, keep(from_raw_unicode(bytes_.take_line())));
        return true;
      default:
        return false;
    }
  }

  bool step_container(unsigned char op) {
    switch (op) {
      case kEmptyTuple:
        push(Kind::kTuple);
        return true;
      case kTuple1:
        push_items(Kind::kTuple, pop_several(1));
        return true;
      case kTuple2:
        push_items(Kind::kTuple, pop_several(2));
        return true;
      case kTuple3:
        push_items(Kind::kTuple, pop_several(3));
        return true;
      case kTuple:
        push_items(Kind::kTuple, pop_to_mark());
        return true;
      case kEmptyList:
        push(Kind::kList);
        return true;
      case kAppend:
        extend(Kind::kList, pop_several(1));
        return true;
      case kAppends:
        extend(Kind::kList, pop_to_mark());
        return true;
      case kEmptySet:
        push(Kind::kSet);
        return true;
      case kAddItems:
        extend(Kind::kSet, pop_to_mark());
        return true;
      case kFrozenSet:
        push_items(Kind::kSet, pop_to_mark());
        return true;
      case kList:
        push_items(Kind::kList, pop_to_mark());
        return true;
      case kDict: {
        Values items = pop_to_mark();
        if (items.size() % 2 != 0) damaged("a key without a value");
        push_items(Kind::kDict, std::move(items));
        return true;
      }
      case kEmptyDict:
        push(Kind::kDict);
        return true;
      case kSetItem:
        extend(Kind::kDict, pop_several(2));
        return true;
      case kSetItems:
        extend(Kind::kDict, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool step_stack(unsigned char op) {
    switch (op) {
      case kMark:
        mark();
        return true;
      case kPop:
        drop();
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDup:
        push_known(top());
        return true;
      case kFrame:
        bytes_.take_number(8);
        return true;  // only a hint for buffering
      case kProto:
        check_protocol();
        return true;
      default:
        return false;
    }
  }

  bool step_memo(unsigned char op) {
    switch (op) {
      case kPut:
        memoize(take_slot());
        return true;
      case kBinPut:
        memoize(bytes_.take_number(1));
        return true;
      case kLongBinPut:
        memoize(bytes_.take_number(4));
        return true;
      case kMemoize:
        memoize_next();
        return true;
      case kGet:
        recall(take_slot());
        return true;
      case kBinGet:
        recall(bytes_.take_number(1));
        return true;
      case kLongBinGet:
        recall(bytes_.take_number(4));
        return true;
      default:
        return false;
    }
  }
};

Pickle::Pickle(std::string_view bytes, const std::string& source, const KnownCalls& known,
               std::uint64_t begins_at) {
  PickleMachine(*this, bytes, source, known, begins_at).run();
}

}  // namespace torsor
