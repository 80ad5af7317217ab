#include <ATen/ATen.h>

#include <vector>

#include "api/translator_state.h"
#include "data/image_distances.h"
#include "infer/delivered_output.h"
#include "infer/ensemble.h"
#include "io/checksum.h"

namespace torsor {

namespace {

struct EvidenceSettings {
  EvidenceLimits limits;
  std::string ensemble = "first";

  void describe(OptionSet& o) {
    limits.describe(o);
    add_ensemble(o, ensemble);
  }
};

EvidenceSettings settings_of(const EvidenceOptions& options) {
  const auto out = options_from_json<EvidenceSettings>({{"doubt_percentile", options.doubt_percentile},
                                                        {"doubt_spread", options.doubt_spread},
                                                        {"ensemble", options.ensemble}},
                                                       "EvidenceOptions");
  if (out.ensemble != "first" && options.also.empty())
    fail_usage("EvidenceOptions: ensemble is {}, but `also` names no other translator", out.ensemble);
  return out;
}

// Of the samples, channels interleaved, rows without gaps.
std::string hash_of_samples(const Image& image) {
  return checksum_of({reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()});
}
std::string hash_of_samples(const at::Tensor& chw) {
  const at::Tensor samples = chw.to(at::kCPU, at::kFloat).permute({1, 2, 0}).contiguous();
  return checksum_of({static_cast<const char*>(samples.data_ptr()), samples.nbytes()});
}

std::string hash_of_input(const void* in, const PixelLayout& layout) {
  if (layout.type == SampleType::f32) return hash_of_samples(gather_tensor(in, layout));
  return hash_of_samples(gather_image(in, layout));
}

// [M,1,C',H,W].
at::Tensor made_by_all(const GeneratorRunner& first, const std::vector<const GeneratorRunner*>& others,
                       const at::Tensor& x) {
  std::vector<at::Tensor> out = {first.translate(x).to(at::kCPU)};
  for (const GeneratorRunner* other : others) {
    require_alike(first, *other);
    out.push_back(other->translate(x).to(at::kCPU));
  }
  return at::stack(out);
}

std::optional<EnsembleEvidence> ensemble_evidence(const GeneratorRunner& first,
                                                  const std::vector<const GeneratorRunner*>& others,
                                                  const at::Tensor& made, const std::string& output) {
  if (others.empty()) return std::nullopt;
  const at::Tensor spread = spread_of(made, span_of(first.loaded().info.scaling()));
  EnsembleEvidence out;
  out.models.push_back(first.loaded().source);
  for (const GeneratorRunner* other : others) out.models.push_back(other->loaded().source);
  out.output = output;
  out.spread = spread.mean().item<double>();
  out.worst_patch = worst_patches(spread).item<double>();
  return out;
}

}  // namespace

std::string Translator::translate_with_evidence(const void* in, const PixelLayout& in_layout, void* out,
                                                const PixelLayout& out_layout,
                                                const EvidenceOptions& options) const {
  return guarded([&] {
    const at::NoGradGuard no_grad;
    if (!state_->evidence)
      fail("translate_with_evidence: this translator keeps none; set evidence when it is loaded");
    const EvidenceSettings settings = settings_of(options);
    check_pixels(in, in_layout, kInput);
    check_pixels(out, out_layout, kOutput);
    const GeneratorRunner& runner = state_->runner;
    check_output(in_layout, out_layout, runner.channels_out(in_layout.channels));
    std::vector<const GeneratorRunner*> others;
    for (const Translator& other : options.also) others.push_back(&other.state_->runner);

    const auto [x, input] = state_->read(in, in_layout);
    const at::Tensor made = made_by_all(runner, others, x);
    const at::Tensor result = combined(made, ensemble_named(settings.ensemble));  // [1,C',H,W]
    const bool floats = out_layout.type == SampleType::f32;
    const Image picture = floats ? Image() : runner.picture(result[0], input, pixel_type(out_layout.type));

    EvidenceSubject subject;
    subject.input = {options.name, hash_of_input(in, in_layout)};
    subject.output = {"", floats ? hash_of_samples(result[0]) : hash_of_samples(picture)};
    subject.likeness = state_->evidence->recognise(state_->preview(in, in_layout));
    subject.x = x;
    subject.delivered = floats ? result : delivered_values(runner, picture, picture.channels, input.range);
    subject.ensemble = ensemble_evidence(runner, others, made, settings.ensemble);
    const GeneratorRunner* back = state_->evidence->check().back();
    Evidence evidence = state_->evidence->weigh(
        subject, settings.limits, [back](const at::Tensor& y) { return back->translate(y); },
        OutputCheck::ScoredAs::whole);
    evidence.delivered = !(options.refuse_doubtful && evidence.doubtful());
    if (evidence.delivered && floats) scatter(result[0], out, out_layout);
    if (evidence.delivered && !floats) scatter(picture, out, out_layout);
    return evidence.text();
  });
}

}  // namespace torsor
