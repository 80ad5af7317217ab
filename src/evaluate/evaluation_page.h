// An evaluation as a page: the table, and the worst, middle and best images.
#pragma once

#include <string>

#include "evaluate/evaluation.h"
#include "report/html.h"

namespace torsor {

/// Pictures are at most 256 pixels a side. Reads the images shown. Throws Error naming one that is gone.
HtmlPage evaluation_page(const Evaluation& evaluation, const std::string& command);

/// "0.219 (0.193 to 0.246)", or the number and why it has no interval.
std::string result_text(const MetricResult& result);

}  // namespace torsor
