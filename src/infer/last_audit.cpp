#include "infer/last_audit.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"

namespace torsor {

namespace {

// The run's folder, or that of the file; of a checkpoint's file also the run that it lies in.
std::vector<fs::path> audited_folders(const fs::path& model, const fs::path& weights) {
  std::error_code ec;
  std::vector<fs::path> out;
  if (fs::is_directory(model, ec)) out.push_back(model);
  if (fs::is_regular_file(weights, ec)) {
    const fs::path folder = fs::absolute(weights, ec).lexically_normal().parent_path();
    if (out.empty()) out.push_back(weights.has_parent_path() ? weights.parent_path() : fs::path("."));
    if (folder.filename() == "checkpoints") out.push_back(folder.parent_path());
  }
  return out;
}

bool audits(const Json& audit, const std::string& generators) {
  const Json& runs = audit.at("runs");
  return std::any_of(runs.begin(), runs.end(),
                     [&](const Json& run) { return run.at("hash").get<std::string>() == generators; });
}

}  // namespace

LastAudit find_last_audit(const fs::path& model, const fs::path& weights, const std::string& generators) {
  LastAudit out;
  std::optional<fs::file_time_type> newest;
  for (const fs::path& folder : audited_folders(model, weights))
    for (const fs::path& file : {folder / "audit.json", folder / "audit" / "audit.json"}) {
      std::error_code ec;
      if (!fs::is_regular_file(file, ec)) continue;
      try {
        const Json audit = parse_json(read_file(file), file.string());
        if (!audits(audit, generators)) {
          out.notes.push_back(fmt::format("{} is an audit of other weights", file.string()));
          continue;
        }
        Json verdict = {{"verdict", audit.at("verdict").get<std::string>()},
                        {"because", audit.at("because").get<std::string>()},
                        {"file", file.string()}};
        const auto written = fs::last_write_time(file, ec);
        if (newest && *newest >= written) continue;
        newest = written;
        out.verdict = std::move(verdict);
      } catch (const Json::exception& error) {
        out.notes.push_back(fmt::format("{} is no audit: {}", file.string(), json_reason(error)));
      } catch (const Error& error) {
        out.notes.push_back(fmt::format("no audit could be read: {}", error.what()));
      }
    }
  return out;
}

}  // namespace torsor
