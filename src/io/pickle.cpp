#include "io/pickle.h"

#include <bit>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "io/pickle_bytes.h"

namespace torsor {

namespace {

using namespace pickle;
using Kind = PickleValue::Kind;

constexpr std::size_t kMaxValues = 4'000'000;

}  // namespace

class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, std::string_view bytes, const std::string& source,
                const Pickle::GlobalFilter& allowed, std::uint64_t begins_at)
      : pickle_(pickle), bytes_(bytes, source, begins_at), source_(source), allowed_(allowed) {}

  void run() {
    if (bytes_.take_number(1) != kProto) damaged("it does not start with a protocol number");
    check_protocol();
    while (step(static_cast<unsigned char>(bytes_.take_number(1)))) continue;
    pickle_.root_ = pop();
    pickle_.size_ = bytes_.position();
  }

 private:
  using Values = std::vector<const PickleValue*>;

  [[noreturn]] void damaged(std::string_view what) const {
    fail("{}: is damaged: the pickle in it is wrong at byte {}: {}", source_, position(), what);
  }

  std::uint64_t position() const { return bytes_.position_in_file(); }

  void check_protocol() {
    const std::uint64_t protocol = bytes_.take_number(1);
    if (protocol < 2 || protocol > 5)
      fail("{}: holds a pickle of protocol {} before byte {}, expected 2 to 5", source_, protocol,
           position());
  }

  // --- values and stack ----------------------------------------------------------------------------------

  PickleValue& make(Kind kind) {
    if (pickle_.values_.size() >= kMaxValues) too_many();
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    value.at = position();
    return value;
  }

  [[noreturn]] void too_many() const {
    fail("{}: holds more than {} Python values before byte {}, far more than weights need", source_,
         kMaxValues, position());
  }

  PickleValue& push(Kind kind) {
    PickleValue& value = make(kind);
    stack_.push_back(&value);
    return value;
  }

  void push_integer(Kind kind, std::int64_t integer) { push(kind).integer = integer; }
  void push_text(Kind kind, std::string_view text) { push(kind).text = text; }
  void push_items(Kind kind, Values items) { push(kind).items = std::move(items); }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleValue* top() {
    if (stack_.size() <= floor()) damaged("its stack is empty");
    return stack_.back();
  }

  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }

  Values pop_several(std::size_t count) {
    if (stack_.size() - floor() < count) damaged("its stack is empty");
    Values taken(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return taken;
  }

  Values pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    Values taken = pop_several(stack_.size() - marks_.back());
    marks_.pop_back();
    return taken;
  }

  void extend(Kind kind, const Values& more) {
    PickleValue* target = top();
    if (!target->is(kind)) damaged("it fills something that is not a container of the right kind");
    if (kind == Kind::kDict && more.size() % 2 != 0) damaged("a key without a value");
    target->items.insert(target->items.end(), more.begin(), more.end());
  }

  void memoize(std::uint64_t slot) { memo_[slot] = top(); }

  void recall(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) damaged("it refers to a value that is not there");
    stack_.push_back(found->second);
  }

  // --- instructions --------------------------------------------------------------------------------------

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

  void push_global(std::string_view module, std::string_view name) {
    // Every mention of one name shares one value: names are longer than the instruction that repeats them.
    std::string qualified = fmt::format("{}.{}", module, name);
    const auto known = globals_.find(qualified);
    if (known != globals_.end()) return stack_.push_back(known->second);
    if (!allowed_(qualified))
      fail(
          "{}: refers to '{}', which a state dict never needs; nothing was executed; refusing the file at "
          "byte {} (expected what torch.save wrote for a network's state_dict())",
          source_, printable(qualified), position());
    PickleValue& value = push(Kind::kGlobal);
    value.text = pickle_.global_names_.emplace_back(std::move(qualified));
    globals_.emplace(value.text, &value);
  }

  void stack_global() {
    const PickleValue* name = pop();
    const PickleValue* module = pop();
    if (!name->is(Kind::kText) || !module->is(Kind::kText)) damaged("a global's name is not text");
    push_global(module->text, name->text);
  }

  void call() {
    const PickleValue* arguments = pop();
    const PickleValue* callee = pop();
    if (!callee->is(Kind::kGlobal)) damaged("it calls something that is not a named function");
    if (!arguments->is(Kind::kTuple)) damaged("a call's arguments are not a tuple");
    if (callee->text == "collections.OrderedDict") return make_ordered_dict(*arguments);
    PickleValue& value = push(Kind::kCall);
    value.callee = callee;
    // The arguments may be shared by many calls; copies count against the limit on values.
    spend(arguments->items.size());
    value.items = arguments->items;
  }

  // Empty and filled later, or (Python 2) with one list of [key, value] pairs.
  void make_ordered_dict(const PickleValue& arguments) {
    Values items;
    if (!arguments.items.empty()) {
      const PickleValue& pairs = *arguments.items.front();
      if (arguments.items.size() != 1 || !pairs.is(Kind::kList)) damaged("an OrderedDict made from no list");
      spend(pairs.items.size());
      for (const PickleValue* pair : pairs.items) {
        if (!(pair->is(Kind::kList) || pair->is(Kind::kTuple)) || pair->items.size() != 2)
          damaged("an OrderedDict made from something that is not pairs");
        items.insert(items.end(), pair->items.begin(), pair->items.end());
      }
    }
    push_items(Kind::kDict, std::move(items));
  }

  void spend(std::size_t copies) {
    copies_ += copies;
    if (copies_ > kMaxValues) too_many();
  }

  void persistent() {
    const PickleValue* id = pop();
    PickleValue& value = push(Kind::kPersistent);
    value.items = {id};
    pickle_.persistent_.push_back(&value);
  }

  // Attributes of a state dict (its _metadata of layer versions) say nothing about weights.
  void build() {
    pop();
    if (!top()->is(Kind::kDict)) damaged("it sets attributes of something that is not a dict");
  }

  bool step(unsigned char op) {
    if (op == kStop) return false;
    if (!step_scalar(op) && !step_container(op) && !step_stack(op) && !step_object(op))
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
        marks_.push_back(stack_.size());
        return true;
      case kPop:
        pop();
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDup:
        stack_.push_back(top());
        return true;
      case kBinPut:
        memoize(bytes_.take_number(1));
        return true;
      case kLongBinPut:
        memoize(bytes_.take_number(4));
        return true;
      case kMemoize:
        memoize(memo_.size());
        return true;
      case kBinGet:
        recall(bytes_.take_number(1));
        return true;
      case kLongBinGet:
        recall(bytes_.take_number(4));
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

  bool step_object(unsigned char op) {
    switch (op) {
      case kGlobal: {
        const std::string_view module = bytes_.take_line();
        push_global(module, bytes_.take_line());
        return true;
      }
      case kStackGlobal:
        stack_global();
        return true;
      case kReduce:
      case kNewObj:
        call();
        return true;
      case kBinPersId:
        persistent();
        return true;
      case kBuild:
        build();
        return true;
      default:
        return false;
    }
  }

  Pickle& pickle_;
  pickle::Bytes bytes_;
  const std::string& source_;
  const Pickle::GlobalFilter& allowed_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::unordered_map<std::string_view, PickleValue*> globals_;
  std::size_t copies_ = 0;
};

Pickle::Pickle(std::string_view bytes, const std::string& source, const GlobalFilter& allowed,
               std::uint64_t begins_at) {
  PickleMachine(*this, bytes, source, allowed, begins_at).run();
}

}  // namespace torsor
