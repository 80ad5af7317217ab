#include "audit/audit.h"

#include <algorithm>

#include "audit/advice.h"
#include "audit/audit_page.h"
#include "audit/folder_program.h"
#include "audit/group_cut.h"
#include "audit/write_rival.h"
#include "core/build_id.h"
#include "core/error.h"
#include "core/files.h"
#include "core/version.h"
#include "io/checksum.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

const std::string kMedicalWarning =
    "The authors of the theory behind this audit: \"We advocate against the usage of CycleGAN when "
    "translating between substantially different distributions in critical tasks such as medical imaging\" "
    "(Moriakov, Adler, Teuwen 2020). A verdict of this audit does not make a translation fit for diagnosis.";

std::string digest_of(const AuditImages& images) {
  std::vector<std::string> keys = images.keys;
  std::sort(keys.begin(), keys.end());
  return content_key(join(keys, "\n"));
}

Json images_json(const AuditImages& images) {
  return {{"folder", images.folder.string()},
          {"count", images.size()},
          {"groups", count_groups(images.groups)},
          {"digest", digest_of(images)}};
}

Json runs_json(const AuditMaterial& material) {
  Json out = Json::array();
  for (const AuditedRun& run : material.runs())
    out.push_back({{"name", run.name},
                   {"source", run.source},
                   {"hash", run.hash},
                   {"type", run.info.type},
                   {"step", run.info.step},
                   {"seed", run.info.training.value("seed", Json(nullptr))},
                   {"finished", run.finished}});
  return out;
}

Json described_images(const AuditMaterial& material) {
  Json out = {{"a", images_json(material.images("a"))},
              {"b", images_json(material.images("b"))},
              {"pairs", nullptr},
              {"labels", nullptr}};
  for (const std::string domain : {"a", "b"})
    if (material.more(domain)) out["training_" + domain] = images_json(*material.more(domain));
  if (material.pairs())
    out["pairs"] = {{"count", material.pairs()->size()},
                    {"groups", count_groups(material.pairs()->a.groups)},
                    {"a", images_json(material.pairs()->a)},
                    {"b", images_json(material.pairs()->b)}};
  if (material.labels())
    out["labels"] = {{"classes", material.labels()->classes},
                     {"source", material.labels()->source},
                     {"digest", material.labels()->digest},
                     {"without_label_a", material.labels()->without_label_a},
                     {"without_label_b", material.labels()->without_label_b}};
  return out;
}

// The options, without the lines of the verdict.
Json measured_options(const AuditOptions& options) {
  Json out = options_to_json(options);
  const Json lines = options_to_json(AuditThresholds());
  for (const auto& [name, value] : lines.items()) out.erase(name);
  return out;
}

// What a program of the user's is by now; null where none is given.
Json program_json(const std::string& program) {
  return program.empty() ? Json(nullptr) : Json(content_key(read_file(require_program(program))));
}

/// Measures the parts, or takes them from an earlier audit of the same that was stopped. The same are
/// version, runs, images, options, where it computes, the user's programs and the build: between two versions
/// any code that a number comes from may change, be it of another layer, and the build id changes with all of
/// it, where a hash of this layer's sources would not.
class AuditMeasuring {
 public:
  explicit AuditMeasuring(AuditMaterial& material) : material_(material) {
    identity_ = {
        {"torsor", torsor_version()},
        {"runs", runs_json(material)},
        {"images", described_images(material)},
        {"options", measured_options(material.options())},
        {"placement", options_to_json(material.placement())},
        {"symmetry_programs",
         {program_json(material.options().symmetry_forward), program_json(material.options().symmetry_back)}},
        {"extractor", material.extractor().hash()},
        {"build", build_id()}};
  }

  Json measured() {
    Json parts = Json::object();
    std::int64_t done = 0;
    for (const AuditPart& part : audit_parts()) {
      check_stop(material_.stop());
      const std::string why = part.why_not(material_);
      if (why.empty())
        parts[part.name] = measured(part);
      else
        not_measured_[part.name] = why;
      material_.log().progress("parts of the audit", ++done, std::ssize(audit_parts()));
    }
    return parts;
  }
  const Json& not_measured() const { return not_measured_; }
  const Json& identity() const { return identity_; }

 private:
  Json measured(const AuditPart& part) {
    const fs::path file = material_.out() / "parts" / (part.name + ".json");
    Json identity = identity_;
    if (part.lines == LineUse::measuring)
      identity["thresholds"] = options_to_json(material_.options().thresholds);
    std::error_code ec;
    if (fs::exists(file, ec)) {
      Json stored = read_json(file);
      if (stored.value("identity", Json()) == identity) return stored.at("measured");
    }
    Json measured = part.measure(material_);
    make_folder(file.parent_path());
    write_file_atomically(file, Json{{"identity", identity}, {"measured", measured}}.dump(1) + "\n");
    return measured;
  }

  AuditMaterial& material_;
  Json identity_;
  Json not_measured_ = Json::object();
};

Json all_rivals(const Json& parts) {
  Json out = Json::array();
  for (const auto& [name, part] : parts.items())
    for (const Json& rival : part.value("rivals", Json::array())) out.push_back(rival);
  return out;
}

Json findings_json(const AuditJudgement& judgement) {
  Json out = Json::array();
  for (const AuditFinding& finding : judgement.findings) out.push_back(finding.json());
  return out;
}

Json audit_json(const AuditMaterial& material, const AuditMeasuring& measuring, const Json& parts,
                const AuditJudgement& judgement) {
  Json out = {{"torsor", torsor_version()},
              {"verdict", verdict_name(judgement.verdict)},
              {"because", judgement.because},
              {"needed", judgement.needed},
              {"warning", kMedicalWarning},
              {"findings", findings_json(judgement)},
              {"rivals", all_rivals(parts)},
              {"detection_limit", parts.contains("detection") ? parts.at("detection") : Json(nullptr)},
              {"runs", measuring.identity().at("runs")},
              {"images", measuring.identity().at("images")},
              {"options", measuring.identity().at("options")},
              {"thresholds", options_to_json(material.options().thresholds)},
              {"extractor", material.extractor().protocol()},
              {"training", material.subject().info.training},
              {"parts", parts},
              {"not_measured", measuring.not_measured()}};
  out["advice"] = advice_for(out);
  return out;
}

}  // namespace

AuditFiles audit_files(const fs::path& out) { return {out / "audit.json", out / "index.html"}; }

Audit run_audit(const AuditRequest& request, const AuditOptions& options, const std::string& command,
                const std::shared_ptr<LogSink>& log, const StopFlag& stop) {
  options.validate();
  make_folder(request.out);
  AuditMaterial material(open_audit(request, options, log), options, request.out, log, stop);
  AuditMeasuring measuring(material);
  const Json parts = measuring.measured();
  const AuditJudgement judgement = judge_audit(parts, options.thresholds);
  Audit out{audit_json(material, measuring, parts, judgement), judgement.verdict, judgement.because};
  if (!request.rival.empty()) {
    const fs::path file = write_rival(material, parts, request.rival);
    out.json["rival_model"] = file.string();
    log->notice(
        fmt::format("the strongest rival is in {}: a model that no unpaired score separates from this "
                    "one",
                    file.string()));
  }
  const AuditFiles files = audit_files(request.out);
  audit_page(out.json, request.out, command).save(files.page);
  write_file_atomically(files.json, out.json.dump(2) + "\n");  // the last: all is there
  return out;
}

}  // namespace torsor
