// `torsor audit`: measures every part that the inputs allow, judges, and keeps it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_request.h"
#include "audit/verdict.h"
#include "core/log.h"
#include "core/stop.h"

namespace torsor {

struct Audit {
  Json json;  // what audit.json holds, see docs/audit.md
  AuditVerdict verdict = AuditVerdict::cannot_tell;
  std::string because;
};

/// The files of an audit in `out`.
struct AuditFiles {
  std::filesystem::path json, page;
};
AuditFiles audit_files(const std::filesystem::path& out);

/// Measures and writes OUT/parts/<name>.json as each part is done, so that the same request goes on where it
/// was stopped; parts of other runs, images or options, or of another build of the program, are measured
/// again. `command` is shown on the page.
/// Writes audit.json last. Throws Error naming what cannot be read, UsageError for options that do not go
/// together, StoppedError.
Audit run_audit(const AuditRequest& request, const AuditOptions& options, const std::string& command,
                const std::shared_ptr<LogSink>& log, const StopFlag& stop);

}  // namespace torsor
