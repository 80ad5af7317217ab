// What a pickle's instructions work on: values, the stack with its marks, and the memo.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/pickle.h"
#include "io/pickle_bytes.h"

namespace torsor {

/// Every step is checked; what a sound pickle cannot ask for is an Error that names the byte.
class PickleStack {
 protected:
  using Kind = PickleValue::Kind;
  using Values = std::vector<const PickleValue*>;

  static constexpr std::size_t kMaxValues = 4'000'000;

  PickleStack(Pickle& pickle, std::string_view bytes, const std::string& source, std::uint64_t begins_at)
      : bytes_(bytes, source, begins_at), source_(source), pickle_(pickle) {}

  [[noreturn]] void damaged(std::string_view what) const {
    fail("{}: is damaged: the pickle in it is wrong at byte {}: {}", source_, position(), what);
  }

  std::uint64_t position() const { return bytes_.position_in_file(); }

  PickleValue& make(Kind kind) {
    if (pickle_.values_.size() >= kMaxValues) too_many();
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    value.at = position();
    return value;
  }

  PickleValue& push(Kind kind) {
    PickleValue& value = make(kind);
    stack_.push_back(&value);
    return value;
  }

  void push_known(PickleValue* value) { stack_.push_back(value); }
  void push_integer(Kind kind, std::int64_t integer) { push(kind).integer = integer; }
  void push_text(Kind kind, std::string_view text) { push(kind).text = text; }
  void push_items(Kind kind, Values items) { push(kind).items = std::move(items); }

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

  void mark() { marks_.push_back(stack_.size()); }

  Values pop_to_mark() {
    if (marks_.empty()) damaged("a mark is missing");
    Values taken = pop_several(stack_.size() - marks_.back());
    marks_.pop_back();
    return taken;
  }

  // As Python does: above a mark that has nothing on it the mark itself goes.
  void drop() {
    if (!marks_.empty() && stack_.size() == marks_.back())
      marks_.pop_back();
    else
      pop();
  }

  void extend(Kind kind, const Values& more) {
    PickleValue* target = top();
    if (kind == Kind::kDict && more.size() % 2 != 0) damaged("a key without a value");
    if (target->is(Kind::kOpaque)) return;
    if (!target->is(kind)) damaged("it fills something that is not a container of the right kind");
    target->items.insert(target->items.end(), more.begin(), more.end());
  }

  void memoize(std::uint64_t slot) { memo_[slot] = top(); }
  void memoize_next() { memoize(memo_.size()); }

  void recall(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) damaged("it refers to a value that is not there");
    stack_.push_back(found->second);
  }

  // Copies of what the file has once count against the limit on values.
  void spend(std::size_t copies) {
    copies_ += copies;
    if (copies_ > kMaxValues) too_many();
  }

  // A text that is not in the file as it is.
  std::string_view keep(std::string text) { return pickle_.texts_.emplace_back(std::move(text)); }

  void keep_persistent(const PickleValue& value) { pickle_.persistent_.push_back(&value); }

  void finish() {
    pickle_.root_ = pop();
    pickle_.size_ = bytes_.position();
  }

  pickle::Bytes bytes_;
  const std::string& source_;

 private:
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  [[noreturn]] void too_many() const {
    fail("{}: holds more than {} Python values before byte {}, far more than weights need", source_,
         kMaxValues, position());
  }

  Pickle& pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::size_t copies_ = 0;
};

}  // namespace torsor
