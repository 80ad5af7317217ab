// What the experiments on worlds say of their cases: the set-up, the questions that their rules ask, tables
// and pictures.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiment/cure_runs.h"

namespace torsor {

/// Lines of the set-up, without the arms.
std::vector<Setting> cure_settings(const CureScale& scale);
/// That of the audits.
Setting cure_audits();

// Of rows that measure_cure() made.

/// Null where there is none.
const Json* cure_row(const Json& rows, const std::string& world, const std::string& arm);
bool all_right(const Json& row);
bool none_right(const Json& row);
/// "Disagrees", where some audit calls a wrong run trustworthy, or any run without pairs.
std::optional<Finding> green_over_wrong(const Json& rows);
/// The names of the cases that this holds of.
std::vector<std::string> cases_where(const Json& rows, const std::function<bool(const Json&)>& holds);

/// One more column of the tables.
struct CureColumn {
  std::string name, about;  // about: a sentence for the caption
  std::function<std::string(const Json& row)> text;
};
/// The translations' cost over that of the right ones, of each run.
CureColumn cost_column();

/// The time of a step over that of `base`, in words; `costs`: of measure_step_costs().
CureColumn step_column(const Json& costs, const std::string& base);

/// A table and the pictures of each world, and the audits' mistakes.
void present_cures(const Json& rows, const std::vector<CureArm>& arms, const std::vector<CureColumn>& more,
                   ReproductionPage& page);

}  // namespace torsor
