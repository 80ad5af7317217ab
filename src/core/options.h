// One declaration of an option feeds the command-line flag, the config file, the stored configuration and
// the documentation. A component lists its fields once:
//
//   struct PoolOptions {
//     std::int64_t pool_size = 50;
//     void describe(OptionSet& o) { o.add("pool_size", pool_size, "images kept; 0 = off").at_least(0); }
//   };
//
// and everything else works on the OptionSet: flags are the names in kebab case (--pool-size).
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"

namespace torsor {

/// One declared option, bound to a field of a live options struct.
class Option {
 public:
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::optional<double>*,
                              std::optional<std::int64_t>*>;

  Option(std::string name, Target target, std::string help, std::string group);

  // Constraints, checked whenever a value is set; they return *this so that a declaration is one line.
  Option& range(double low, double high);  // inclusive
  Option& at_least(double low);
  Option& above(double low);  // exclusive lower bound
  Option& choices(std::vector<std::string> allowed);
  /// An extra check, made before that of the choices: throws UsageError when the text is not acceptable.
  Option& check(std::function<void(const std::string& value, const std::string& what)> checker);
  Option& hidden();  ///< stored and read, but neither a flag nor documented
  /// A text whose stored form may be a bare number too ("500", "10min").
  Option& number_too();
  /// A continued run may have another value than it began with.
  Option& changeable();
  /// Among the first that a newcomer looks for: --help shows it.
  Option& common();
  /// Values that a shell may complete; choices() need none.
  Option& suggest(std::vector<std::string> values);

  const std::string& name() const { return name_; }  // snake_case
  const std::string& help() const { return help_; }
  const std::string& group() const { return group_; }  // heading in help and docs
  const std::vector<std::string>& allowed() const { return choices_; }
  bool is_hidden() const { return hidden_; }
  bool is_changeable() const { return changeable_; }
  bool is_common() const { return common_; }
  /// What a shell may complete: the choices, or the values suggested.
  const std::vector<std::string>& suggestions() const { return choices_.empty() ? suggestions_ : choices_; }
  bool is_bool() const { return std::holds_alternative<bool*>(target_); }
  std::string flag() const;                               // --lambda-cycle-a
  std::string type_name() const;                          // flag, integer, number, text
  std::string constraint() const;                         // ">= 0", "0 to 1", "one of a, b", or ""
  const Json& default_value() const { return default_; }  // the value when it was declared
  bool given() const { return given_; }                   // set by a flag or a config file

  Json value() const;
  /// Sets from JSON; `where` names the place ("run.json: lr"). Throws UsageError on wrong type or range.
  void set(const Json& value, const std::string& where);
  /// Sets from the text of a flag.
  void set_text(const std::string& text, const std::string& where);

 private:
  void check_number(double value, const std::string& where) const;
  void check_text(const std::string& value, const std::string& where) const;

  std::string name_;
  Target target_;
  std::string help_;
  std::string group_;
  Json default_;
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
  bool open_low_ = false;
  std::vector<std::string> choices_, suggestions_;
  std::function<void(const std::string&, const std::string&)> checker_;
  bool hidden_ = false;
  bool number_too_ = false;
  bool changeable_ = false;
  bool common_ = false;
  bool given_ = false;
};

/// The options of one component or of a whole program, in order of declaration.
class OptionSet {
 public:
  /// Options declared from now on belong under this heading.
  void group(std::string title) { group_ = std::move(title); }

  /// Declares an option. Throws std::logic_error when the name was declared before.
  template <class T>
  Option& add(std::string name, T& field, std::string help) {
    return bind(std::move(name), &field, std::move(help));
  }

  Option* find(const std::string& name);
  std::vector<Option>& options() { return options_; }
  const std::vector<Option>& options() const { return options_; }
  std::vector<std::string> names() const;

  Json to_json() const;
  /// Strict: an unknown key, a wrong type or a value out of range is a UsageError that names `source`, the
  /// key and the nearest known key. Keys that are absent keep their values.
  void from_json(const Json& json, const std::string& source);

 private:
  Option& bind(std::string name, Option::Target target, std::string help);

  std::vector<Option> options_;
  std::string group_;
};

/// The options struct as JSON / from JSON (strict, then validated when it has validate()).
template <class T>
Json options_to_json(T options) {
  OptionSet set;
  options.describe(set);
  return set.to_json();
}

template <class T>
T options_from_json(const Json& json, const std::string& source) {
  T options;
  OptionSet set;
  options.describe(set);
  set.from_json(json, source);
  if constexpr (requires { options.validate(); }) options.validate();
  return options;
}

}  // namespace torsor
