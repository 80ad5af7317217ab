// The options that the reference writes beside its weights (train_opt.txt, test_opt.txt).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace torsor {

/// What the reference was trained with, as far as it tells how to use its weights.
struct ReferenceOptions {
  std::map<std::string, std::string> values;  // all of the file

  /// "" when the file does not have it.
  std::string text(const std::string& name) const;
  /// Nothing unless it is True or False.
  std::optional<bool> flag(const std::string& name) const;
  std::optional<std::int64_t> number(const std::string& name) const;
  /// --direction BtoA: the model's A is the data's B.
  bool is_b_to_a() const { return text("direction") == "BtoA"; }
};

/// Reads lines "name: value [default: ...]". Throws Error naming the file when no line is one.
ReferenceOptions read_reference_options(const std::filesystem::path& path);

/// train_opt.txt in this folder; nothing when there is none. Throws as above.
std::optional<ReferenceOptions> find_reference_options(const std::filesystem::path& folder);

}  // namespace torsor
