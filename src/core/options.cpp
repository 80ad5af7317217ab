#include "core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/plain_text.h"
#include "core/text.h"

namespace torsor {

namespace {

// Values and keys may come from a file that somebody else wrote.
std::string shown(const Json& value) { return printable(value.dump()); }

bool parse_bool(const std::string& text, const std::string& where) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "0" || word == "no" || word == "off") return false;
  fail_usage("{}: '{}' is not true or false", where, printable(text));
}

template <class T>
T parse_number(const std::string& text, const std::string& where, const char* kind) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size())
    fail_usage("{}: '{}' is not {}", where, printable(text), kind);
  return value;
}

std::int64_t json_integer(const Json& value, const std::string& where) {
  const bool is_too_large =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_integer() && !is_too_large) return value.get<std::int64_t>();
  // 2e3 or 5.0 in a config file are whole numbers too.
  if (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>() &&
      std::abs(value.get<double>()) < 9e15)
    return static_cast<std::int64_t>(value.get<double>());
  fail_usage("{}: expected a whole number, found {}", where, shown(value));
}

double json_number(const Json& value, const std::string& where) {
  if (!value.is_number()) fail_usage("{}: expected a number, found {}", where, shown(value));
  return value.get<double>();
}

}  // namespace

Option::Option(std::string name, Target target, std::string help, std::string group)
    : name_(std::move(name)), target_(target), help_(std::move(help)), group_(std::move(group)) {
  default_ = value();
}

Option& Option::range(double low, double high) {
  low_ = low;
  high_ = high;
  return *this;
}
Option& Option::at_least(double low) {
  low_ = low;
  return *this;
}
Option& Option::above(double low) {
  low_ = low;
  open_low_ = true;
  return *this;
}
Option& Option::choices(std::vector<std::string> allowed) {
  choices_ = std::move(allowed);
  return *this;
}
Option& Option::check(std::function<void(const std::string&, const std::string&)> checker) {
  checker_ = std::move(checker);
  return *this;
}
Option& Option::hidden() {
  hidden_ = true;
  return *this;
}

Option& Option::number_too() {
  number_too_ = true;
  return *this;
}
Option& Option::changeable() {
  changeable_ = true;
  return *this;
}

Option& Option::common() {
  common_ = true;
  return *this;
}
Option& Option::suggest(std::vector<std::string> values) {
  suggestions_ = std::move(values);
  return *this;
}

std::string Option::flag() const { return "--" + kebab_case(name_); }

std::string Option::type_name() const {
  static const char* const kNames[] = {"flag", "integer", "number", "text", "number", "integer"};
  return kNames[target_.index()];
}

std::string Option::constraint() const {
  if (!choices_.empty()) return "one of " + join(choices_);
  const bool low = std::isfinite(low_), high = std::isfinite(high_);
  if (low && high) return fmt::format("{} to {}", low_, high_);
  if (low) return fmt::format("{} {}", open_low_ ? ">" : ">=", low_);
  return "";
}

Json Option::value() const {
  return std::visit(
      [](auto* field) -> Json {
        if constexpr (requires { field->has_value(); })
          return field->has_value() ? Json(**field) : Json(nullptr);
        else
          return Json(*field);
      },
      target_);
}

void Option::check_number(double value, const std::string& where) const {
  const bool good = std::isfinite(value) && (open_low_ ? value > low_ : value >= low_) && value <= high_;
  if (!good) {
    const std::string wanted = constraint();
    fail_usage("{}: {} is out of range; expected {}", where, value,
               wanted.empty() ? "a finite number" : wanted);
  }
}

void Option::check_text(const std::string& value, const std::string& where) const {
  // It is stored as JSON with every run.
  if (!is_utf8(value))
    fail_usage("{}: '{}' is not UTF-8 text; rename what it names", where, printable(value));
  if (checker_) checker_(value, where);
  if (!choices_.empty() && std::find(choices_.begin(), choices_.end(), value) == choices_.end())
    fail_usage("{}: unknown value '{}'{} (one of {})", where, printable(value), did_you_mean(value, choices_),
               join(choices_));
}

void Option::set(const Json& value, const std::string& where) {
  if (auto* p = std::get_if<bool*>(&target_)) {
    if (!value.is_boolean()) fail_usage("{}: expected true or false, found {}", where, shown(value));
    **p = value.get<bool>();
  } else if (auto* p = std::get_if<std::int64_t*>(&target_)) {
    const auto number = json_integer(value, where);
    check_number(static_cast<double>(number), where);
    **p = number;
  } else if (auto* p = std::get_if<double*>(&target_)) {
    const double number = json_number(value, where);
    check_number(number, where);
    **p = number;
  } else if (auto* p = std::get_if<std::string*>(&target_)) {
    if (!value.is_string() && !(number_too_ && value.is_number()))
      fail_usage("{}: expected text in quotes, found {}", where, shown(value));
    const std::string text = plain_text(value);
    check_text(text, where);
    **p = text;
  } else if (auto* p = std::get_if<std::optional<double>*>(&target_)) {
    if (!value.is_null()) check_number(json_number(value, where), where);
    **p = value.is_null() ? std::nullopt : std::optional<double>(json_number(value, where));
  } else if (auto* p = std::get_if<std::optional<std::int64_t>*>(&target_)) {
    if (!value.is_null()) check_number(static_cast<double>(json_integer(value, where)), where);
    **p = value.is_null() ? std::nullopt : std::optional<std::int64_t>(json_integer(value, where));
  }
  given_ = !value.is_null();
}

void Option::set_text(const std::string& text, const std::string& where) {
  const std::string type = type_name();
  if (type == "flag") return set(Json(parse_bool(text, where)), where);
  if (type == "text") return set(Json(text), where);
  if (type == "integer") return set(Json(parse_number<std::int64_t>(text, where, "a whole number")), where);
  set(Json(parse_number<double>(text, where, "a number")), where);
}

Option& OptionSet::bind(std::string name, Option::Target target, std::string help) {
  if (find(name)) throw std::logic_error("option declared twice: " + name);
  return options_.emplace_back(std::move(name), target, std::move(help), group_);
}

Option* OptionSet::find(const std::string& name) {
  for (auto& option : options_)
    if (option.name() == name) return &option;
  return nullptr;
}

std::vector<std::string> OptionSet::names() const {
  std::vector<std::string> out;
  for (const auto& option : options_) out.push_back(option.name());
  return out;
}

Json OptionSet::to_json() const {
  Json out = Json::object();
  for (const auto& option : options_) out[option.name()] = option.value();
  return out;
}

void OptionSet::from_json(const Json& json, const std::string& source) {
  if (!json.is_object())
    fail_usage("{}: expected an object {{...}} of options, found {}", source, shown(json));
  for (const auto& [key, value] : json.items()) {
    Option* option = find(key);
    if (!option) fail_usage("{}: unknown option '{}'{}", source, printable(key), did_you_mean(key, names()));
    option->set(value, source + ": " + key);
  }
}

}  // namespace torsor
