#include "audit/audit_request.h"

#include <set>

#include "audit/folder_program.h"
#include "core/error.h"
#include "data/data_source.h"

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
  if (!r.data.empty() && (!r.a.empty() || !r.b.empty() || !r.pairs_a.empty()))
    fail_usage("--data and --a, --b, --pairs-a exclude each other: it names all of them");
  if (r.data.empty() && (r.a.empty() || r.b.empty()))
    fail_usage("{} is missing: held-out images of both domains, or --data as the training had it",
               r.a.empty() ? "--a" : "--b");
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
      : request_(request),
        options_(options),
        log_(std::move(log)),
        placement_(resolve_placement(request.placement)) {}

  AuditInputs open() {
    for (const std::string& program : {options_.symmetry_forward, options_.symmetry_back})
      if (!program.empty()) require_program(program);  // before anything takes minutes
    AuditInputs out;
    out.runs = open_audited_runs(request_.runs, placement_);
    out.placement = request_.placement;
    for (const AuditedRun& run : out.runs)
      if (!run.finished)
        log_->notice(
            fmt::format("{}: is still training; it is audited at step {}", run.source, run.info.step));
    info_ = &out.runs.front().info;
    transform_ = audit_transform(*info_, options_.resize);
    if (request_.data.empty())
      open_folders(out);
    else
      open_data(out);
    require_one_size(out.a, out.b);
    leave_out_seen_pairs(out);
    const auto extractor = make_extractor(options_.features, placement_.device);
    for (const std::string& note : extractor->notes()) log_->notice(note);
    out.extractor = extractor;
    open_labels(out);
    return out;
  }

 private:
  AuditReading reading(const std::string& domain) const {
    return {info_->domain(domain), transform_, options_.groups};
  }

  AuditImages images(const std::string& domain, std::shared_ptr<const ImageSet> set) const {
    return read_audit_images(domain, std::move(set), reading(domain), log_);
  }

  void open_folders(AuditInputs& out) const {
    out.a = images("a", open_audit_folder(request_.a, options_.max_images, *log_));
    out.b = images("b", open_audit_folder(request_.b, options_.max_images, *log_));
    out.more_a = training_images("a", request_.train_a);
    out.more_b = training_images("b", request_.train_b);
    if (request_.pairs_a.empty()) return;
    out.pairs =
        read_audit_pairs(open_audit_folder(request_.pairs_a, 0, *log_),
                         open_audit_folder(request_.pairs_b, 0, *log_), reading("a"), reading("b"), log_);
  }

  // Pairs of which an image is among the training images that were read: they are not held out.
  void leave_out_seen_pairs(AuditInputs& inputs) const {
    if (!inputs.pairs) return;
    std::set<std::string> seen;
    for (const auto* more : {&inputs.more_a, &inputs.more_b})
      if (*more) seen.insert((*more)->keys.begin(), (*more)->keys.end());
    std::vector<std::int64_t> kept;
    const AuditImages &a = inputs.pairs->a, &b = inputs.pairs->b;
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      if (!seen.contains(a.keys[k]) && !seen.contains(b.keys[k])) kept.push_back(i);
    }
    const std::int64_t left_out = a.size() - std::ssize(kept);
    if (left_out == 0) return;
    if (kept.empty())
      fail("{}: all {} pairs are among the images of the training; evidence are pairs that it never saw",
           a.folder.string(), left_out);
    log_->warning(
        fmt::format("{} of {} pairs are among the images of the training and are left out: evidence "
                    "are pairs that it never saw",
                    left_out, a.size()));
    inputs.pairs = AuditPairs{a.at(kept), b.at(kept)};
  }

  void open_data(AuditInputs& out) const {
    const std::int64_t training = options_.size() == AuditScale::quick ? kMostTrainingImages : 0;
    DataRequest request =
        run_data_request({request_.data, options_.max_images}, *info_, output_size(transform_).width, log_);
    const auto source = open_data_source(request);
    request.limit = training;
    const auto trained = open_data_source(request);
    const AuditSets sets = open_test_sets(*source, request_.data);
    out.a = images("a", sets.a);
    out.b = images("b", sets.b);
    out.more_a = images("a", trained->open(SetName::real_a, Split::train));
    out.more_b = images("b", trained->open(SetName::real_b, Split::train));
    if (!request_.data_pairs) return;
    const auto paired_a = source->open(SetName::paired_a, Split::test),
               paired_b = source->open(SetName::paired_b, Split::test);
    if (!paired_a || !paired_b) return;
    out.pairs = read_audit_pairs(paired_a, paired_b, reading("a"), reading("b"), log_);
    log_->notice(fmt::format("{} test pairs of {} are evidence", out.pairs->size(), request_.data));
  }

  std::optional<AuditImages> training_images(const std::string& domain, const fs::path& given) const {
    const fs::path folder = given.empty() ? remembered(*info_, domain) : given;
    if (folder.empty()) return std::nullopt;
    const std::int64_t most = options_.size() == AuditScale::quick ? kMostTrainingImages : 0;
    AuditImages images = this->images(domain, open_audit_folder(folder, most, *log_));
    log_->notice(fmt::format("{} training images of {} from {} help to decide what keeps its distribution",
                             images.size(), domain == "a" ? "A" : "B", folder.string()));
    return images;
  }

  void open_labels(AuditInputs& out) const {
    if (!request_.classifier.empty())
      out.labels = labels_by_classifier(request_.classifier, out.a, out.b, placement_);
    if (!request_.labels_a.empty())
      out.labels = labels_by_tables(request_.labels_a, request_.labels_b, out.a, out.b, out.extractor, *log_);
  }

  const AuditRequest& request_;
  const AuditOptions& options_;
  std::shared_ptr<LogSink> log_;
  Placement placement_;
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
