#include "audit/audit.h"

#include <algorithm>

#include "audit/advice.h"
#include "audit/audit_page.h"
#include "core/error.h"
#include "core/files.h"
#include "core/version.h"
#include "metric/feature_cache.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostTrainingImages = 500;  // of a domain, at scale quick

const std::string kMedicalWarning =
    "The authors of the theory behind this audit: \"We advocate against the usage of CycleGAN when "
    "translating between substantially different distributions in critical tasks such as medical imaging\" "
    "(Moriakov, Adler, Teuwen 2020). A verdict of this audit does not make a translation fit for diagnosis.";

std::string digest_of(const AuditImages& images) {
  std::vector<std::string> keys = images.keys;
  std::sort(keys.begin(), keys.end());
  return content_key(join(keys, "\n"));
}

std::int64_t groups_in(const AuditImages& images) {
  std::vector<std::int64_t> groups = images.groups;
  std::sort(groups.begin(), groups.end());
  return std::unique(groups.begin(), groups.end()) - groups.begin();
}

Json images_json(const AuditImages& images) {
  return {{"folder", images.folder.string()},
          {"count", images.size()},
          {"groups", groups_in(images)},
          {"digest", digest_of(images)}};
}

// The folder of a run's training images, where it remembers one that is still there.
fs::path remembered(const ModelInfo& info, const std::string& domain) {
  const std::string folder = info.training.value(domain, std::string());
  std::error_code ec;
  return !folder.empty() && fs::is_directory(folder, ec) ? fs::path(folder) : fs::path();
}

/// Opens what a request names.
class AuditOpening {
 public:
  AuditOpening(const AuditRequest& request, const AuditOptions& options, std::shared_ptr<LogSink> log)
      : request_(request), options_(options), log_(std::move(log)) {}

  AuditInputs open() {
    AuditInputs out;
    out.runs = open_audited_runs(request_.runs, request_.placement);
    for (const AuditedRun& run : out.runs)
      if (!run.finished)
        log_->notice(fmt::format("{}: is still training; it is audited at step {}", run.source,
                                 run.info.step));
    info_ = &out.runs.front().info;
    transform_ = audit_transform(*info_, options_.resize);
    out.a = read_audit_images("a", request_.a, reading("a", options_.max_images), log_);
    out.b = read_audit_images("b", request_.b, reading("b", options_.max_images), log_);
    require_one_size(out.a, out.b);
    out.more_a = training_images("a", request_.train_a);
    out.more_b = training_images("b", request_.train_b);
    if (!request_.pairs_a.empty())
      out.pairs = read_audit_pairs(request_.pairs_a, request_.pairs_b, reading("a", 0), reading("b", 0), log_);
    const auto extractor = make_extractor(options_.features, request_.placement.device);
    for (const std::string& note : extractor->notes()) log_->notice(note);
    out.extractor = extractor;
    open_labels(out);
    return out;
  }

 private:
  AuditReading reading(const std::string& domain, std::int64_t limit) const {
    return {info_->domain(domain), transform_, options_.groups, limit};
  }

  static void require_one_size(const AuditImages& a, const AuditImages& b) {
    if (a.values.size(2) == b.values.size(2) && a.values.size(3) == b.values.size(3)) return;
    fail("images of A ({}) are {}x{} pixels, those of B ({}) {}x{}; give --resize", a.folder.string(),
         a.values.size(3), a.values.size(2), b.folder.string(), b.values.size(3), b.values.size(2));
  }

  std::optional<AuditImages> training_images(const std::string& domain, const fs::path& given) const {
    const fs::path folder = given.empty() ? remembered(*info_, domain) : given;
    if (folder.empty()) return std::nullopt;
    const std::int64_t most = options_.size() == AuditScale::quick ? kMostTrainingImages : 0;
    AuditImages images = read_audit_images(domain, folder, reading(domain, most), log_);
    log_->notice(fmt::format("{} training images of {} from {} help to decide what keeps its distribution",
                             images.size(), domain == "a" ? "A" : "B", folder.string()));
    return images;
  }

  void open_labels(AuditInputs& out) const {
    if (!request_.classifier.empty())
      out.labels = labels_by_classifier(request_.classifier, out.a, out.b, request_.placement);
    if (!request_.labels_a.empty())
      out.labels =
          labels_by_tables(request_.labels_a, request_.labels_b, out.a, out.b, out.extractor, *log_);
  }

  const AuditRequest& request_;
  const AuditOptions& options_;
  std::shared_ptr<LogSink> log_;
  const ModelInfo* info_ = nullptr;
  TransformOptions transform_;
};

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
                    {"groups", groups_in(material.pairs()->a)},
                    {"a", images_json(material.pairs()->a)},
                    {"b", images_json(material.pairs()->b)}};
  if (material.labels())
    out["labels"] = {{"classes", material.labels()->classes},
                     {"source", material.labels()->source},
                     {"without_label_a", material.labels()->without_label_a},
                     {"without_label_b", material.labels()->without_label_b}};
  return out;
}

// The options that decide on what is measured: the lines of the verdict do not.
Json measured_options(const AuditOptions& options) {
  Json out = options_to_json(options);
  for (const auto& [name, value] : options_to_json(AuditThresholds()).items()) out.erase(name);
  return out;
}

/// Measures the parts, or takes them from an earlier audit of the same that was stopped.
class AuditMeasuring {
 public:
  explicit AuditMeasuring(AuditMaterial& material) : material_(material) {
    identity_ = {{"torsor", torsor_version()},
                 {"runs", runs_json(material)},
                 {"images", described_images(material)},
                 {"options", measured_options(material.options())},
                 {"extractor", material.extractor().hash()}};
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
    std::error_code ec;
    if (fs::exists(file, ec)) {
      Json stored = read_json(file);
      if (stored.value("identity", Json()) == identity_) return stored.at("measured");
    }
    Json measured = part.measure(material_);
    make_folder(file.parent_path());
    write_file_atomically(file, Json{{"identity", identity_}, {"measured", measured}}.dump(1) + "\n");
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

void validate_request(const AuditRequest& r) {
  if (r.pairs_a.empty() != r.pairs_b.empty())
    fail_usage("{} is missing: pairs are two folders of images with the same names",
               r.pairs_a.empty() ? "--pairs-a" : "--pairs-b");
  if (r.labels_a.empty() != r.labels_b.empty())
    fail_usage("{} is missing: labels are two tables, of A and of B",
               r.labels_a.empty() ? "--labels-a" : "--labels-b");
  if (!r.labels_a.empty() && !r.classifier.empty())
    fail_usage("--classifier and --labels-a exclude each other: give tables or a classifier");
}

}  // namespace

AuditFiles audit_files(const fs::path& out) { return {out / "audit.json", out / "index.html"}; }

Audit run_audit(const AuditRequest& request, const AuditOptions& options, const std::string& command,
                const std::shared_ptr<LogSink>& log, const StopFlag& stop) {
  options.validate();
  validate_request(request);
  make_folder(request.out);
  AuditMaterial material(AuditOpening(request, options, log).open(), options, request.out, log, stop);
  AuditMeasuring measuring(material);
  const Json parts = measuring.measured();
  const AuditJudgement judgement = judge_audit(parts, options.thresholds);
  Audit out{audit_json(material, measuring, parts, judgement), judgement.verdict, judgement.because};
  const AuditFiles files = audit_files(request.out);
  audit_page(out.json, request.out, command).save(files.page);
  write_file_atomically(files.json, out.json.dump(2) + "\n");  // the last: all is there
  return out;
}

}  // namespace torsor
