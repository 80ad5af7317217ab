// The sections of an audit's page that follow its findings, and how numbers read on it.
#pragma once

#include <string>

#include "audit/audit_figures.h"
#include "core/json.h"
#include "report/html.h"

namespace torsor {

/// A value of audit.json in a table: numbers to four digits, "yes" and "no", "" for null.
std::string audit_cell(const Json& value);

/// "0.31 (0.28 to 0.35)" of an object with "value" and perhaps "interval"; "" where the value is null.
std::string audit_number(const Json& estimate);

/// What every part measured: pictures that stand nowhere above, curves, tables; then what was not measured.
void show_audit_parts(const Json& audit, AuditFigures& figures, HtmlPage& page);

/// Rivals, and the limit of detection.
void show_audit_reach(const Json& audit, AuditFigures& figures, HtmlPage& page);

/// Remedies with their commands.
void show_audit_advice(const Json& audit, HtmlPage& page);

/// Runs, images, thresholds and options.
void show_audit_inputs(const Json& audit, HtmlPage& page);

}  // namespace torsor
