// The scalars of a step, in one place for the log, the meters, the schedule and the displays.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace torsor {

using NamedScalar = std::pair<std::string, double>;

/// The losses of one step as the model reports them, followed by what observers publish, in the order of
/// publication.
class StepScalars {
 public:
  StepScalars() = default;
  explicit StepScalars(const StepReport& report)
      : scalars_(report.losses), count_of_losses_(report.losses.size()) {}

  /// Any number, also one that is not finite: the log then has null, and means leave it out. Throws
  /// std::logic_error when the step has a scalar of that name.
  void publish(const std::string& name, double value);

  std::span<const NamedScalar> all() const { return scalars_; }
  std::span<const NamedScalar> losses() const { return all().first(count_of_losses_); }
  std::span<const NamedScalar> published() const { return all().subspan(count_of_losses_); }

  /// Drops what was published.
  void keep_losses() { scalars_.resize(count_of_losses_); }

  /// Nothing where this step has no such scalar.
  std::optional<double> find(const std::string& name) const;

 private:
  std::vector<NamedScalar> scalars_;
  std::size_t count_of_losses_ = 0;
};

}  // namespace torsor
