// Audits of planted images and translators, without a file.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "audit/audit_material.h"
#include "audit/parts.h"
#include "test_support.h"

namespace torsor::testing::content {

inline at::Tensor uniform_values(at::IntArrayRef shape, std::uint64_t seed) {
  return 2 * at::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::TensorOptions(at::kFloat)) -
         1;
}

inline at::Tensor normal_values(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::TensorOptions(at::kFloat));
}

/// Each image a group of its own, named 000.png, 001.png ...
inline AuditImages images_of(const std::string& domain, const at::Tensor& values) {
  AuditImages out;
  out.domain = domain;
  out.values = values;
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    out.ranges.emplace_back();
    out.names.push_back(fmt::format("{:03}.png", i));
    out.keys.push_back(domain + out.names.back());
    out.groups.push_back(i);
  }
  return out;
}

inline AuditInputs content_inputs(const at::Tensor& a, const at::Tensor& b, CycleMaps maps) {
  AuditInputs out;
  AuditedRun run;
  run.name = "planted";
  run.maps = std::move(maps);
  for (auto& [key, domain] : run.info.domains) domain.channels = a.size(1);
  out.runs.push_back(std::move(run));
  out.a = images_of("a", a);
  out.b = images_of("b", b);
  out.extractor = make_extractor({"pixels", "auto", 0}, c10::kCPU);
  return out;
}

/// What a part measures and finds of such inputs.
class PlantedAudit {
 public:
  PlantedAudit(AuditInputs inputs, AuditPart part, const std::string& scale = "quick")
      : part_(std::move(part)),
        material_(std::move(inputs), options(scale), folder_.path, std::make_shared<NullLog>(), stop_) {}

  std::string why_not() const { return part_.why_not(material_); }
  const Json& measured() {
    if (measured_.is_null()) measured_ = part_.measure(material_);
    return measured_;
  }
  /// By id.
  std::map<std::string, AuditFinding> findings() {
    std::map<std::string, AuditFinding> out;
    for (AuditFinding& finding : part_.judge({{part_.name, measured()}}, AuditThresholds{}))
      out[finding.id] = std::move(finding);
    return out;
  }
  const TestFolder& folder() const { return folder_; }

 private:
  static AuditOptions options(const std::string& scale) {
    AuditOptions out;
    out.scale = scale;
    out.resamples = 300;
    return out;
  }

  TestFolder folder_;
  StopFlag stop_;
  AuditPart part_;
  AuditMaterial material_;
  Json measured_;
};

inline bool is_veto(const AuditFinding& finding) {
  return finding.role == FindingRole::lowers && finding.verdict == AuditVerdict::amber;
}

inline bool is_note(const AuditFinding& finding) { return finding.role == FindingRole::note; }

}  // namespace torsor::testing::content
