#include "audit/audit_request.h"

#include "core/error.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostTrainingImages = 500;  // of a domain, at scale quick

// The folder of a run's training images, where it remembers one that is still there.
fs::path remembered(const ModelInfo& info, const std::string& domain) {
  const std::string folder = info.training.value(domain, std::string());
  std::error_code ec;
  return !folder.empty() && fs::is_directory(folder, ec) ? fs::path(folder) : fs::path();
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
        log_->notice(
            fmt::format("{}: is still training; it is audited at step {}", run.source, run.info.step));
    info_ = &out.runs.front().info;
    transform_ = audit_transform(*info_, options_.resize);
    out.a = read_audit_images("a", request_.a, reading("a", options_.max_images), log_);
    out.b = read_audit_images("b", request_.b, reading("b", options_.max_images), log_);
    require_one_size(out.a, out.b);
    out.more_a = training_images("a", request_.train_a);
    out.more_b = training_images("b", request_.train_b);
    if (!request_.pairs_a.empty())
      out.pairs =
          read_audit_pairs(request_.pairs_a, request_.pairs_b, reading("a", 0), reading("b", 0), log_);
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
      out.labels = labels_by_tables(request_.labels_a, request_.labels_b, out.a, out.b, out.extractor, *log_);
  }

  const AuditRequest& request_;
  const AuditOptions& options_;
  std::shared_ptr<LogSink> log_;
  const ModelInfo* info_ = nullptr;
  TransformOptions transform_;
};

}  // namespace

AuditInputs open_audit(const AuditRequest& request, const AuditOptions& options,
                       const std::shared_ptr<LogSink>& log) {
  validate_request(request);
  return AuditOpening(request, options, log).open();
}

}  // namespace torsor
