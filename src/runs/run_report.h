// The page that shows a run, or compares several.
#pragma once

#include <filesystem>
#include <vector>

#include "report/html.h"
#include "runs/run_record.h"

namespace torsor {

/// One file that loads nothing from elsewhere. Of one run: warnings, inputs with their translations, sample
/// grids over time, losses and metrics, timing, the settings that differ from the defaults and the command
/// that trains the same. Of several: their charts over each other, their last values, the settings in which
/// they differ, and each one's pictures. Throws Error when a file of a run cannot be read.
HtmlPage run_report(const std::vector<RunRecord>& runs);

/// Reads the run and writes its page, by default as report.html in it. Throws Error.
void write_run_report(const RunDirectory& run);

}  // namespace torsor
