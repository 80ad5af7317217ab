// Audits of translators whose answers are planted, on drawn images.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <numeric>
#include <string>

#include "audit/audit_material.h"
#include "data/generated.h"
#include "data/tensor_image.h"
#include "test_support.h"

namespace torsor::testing {

/// `count` images of a scene task at this size, each its own group.
inline AuditImages drawn_images(const std::string& task, const std::string& domain, std::int64_t count,
                                std::int64_t size, std::uint64_t seed = 1) {
  AuditImages out;
  out.domain = domain;
  std::vector<at::Tensor> values;
  const Domain which = domain == "a" ? Domain::a : Domain::b;
  for (std::int64_t i = 0; i < count; ++i) {
    const SceneTruth truth = generated_truth(task, which, Split::test, seed, i);
    values.push_back(to_tensor(render_scene(task, which, truth, size), ValueRange()));
    out.ranges.emplace_back();
    out.names.push_back(fmt::format("{}.png", i));
    out.keys.push_back(fmt::format("{} {} {} {}", task, domain, seed, i));
    out.groups.push_back(i);
  }
  out.values = at::stack(values);
  return out;
}

/// An audit of one run with these maps.
class PlantedAudit {
 public:
  PlantedAudit() {
    inputs.runs.emplace_back();
    inputs.runs.front().name = "planted";
    FeatureOptions pixels;
    pixels.features = "pixels";
    inputs.extractor = make_extractor(pixels, c10::Device(c10::kCPU));
    options.resamples = 200;
  }
  AuditMaterial& material() {
    if (!material_)
      material_ =
          std::make_unique<AuditMaterial>(inputs, options, folder_.path, std::make_shared<NullLog>(), stop_);
    return *material_;
  }

  AuditInputs inputs;
  AuditOptions options;

 private:
  TestFolder folder_;
  StopFlag stop_;
  std::unique_ptr<AuditMaterial> material_;
};

}  // namespace torsor::testing
