#include "metric/network_extractor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "image/convert.h"
#include "io/checksum.h"

namespace torsor {

namespace {

at::Tensor per_channel(const std::array<double, 3>& values, const InputForm& form,
                       const NetworkPlace& place) {
  const at::Tensor all = at::tensor(at::ArrayRef<double>(values), at::kDouble).slice(0, 0, form.channels);
  return all.to(place.device, place.dtype).view({1, -1, 1, 1});
}

// Everything that the numbers depend on, but for the library's rounding.
std::string definition_hash(const ExtractorIdentity& identity, const ExtractorSpec& spec,
                            const InputForm& form) {
  const Json definition = {{"name", identity.name},       {"protocol", identity.protocol},
                           {"resizer", identity.resizer}, {"input", {form.width, form.height, form.channels}},
                           {"shift", form.shift},         {"scale", form.scale},
                           {"layer", identity.layer},     {"width", identity.width},
                           {"weights", spec.weights_hash}};
  const std::string text = definition.dump();
  Checksum hash;
  hash.update(text.data(), text.size());
  return hash.hex();
}

ExtractorIdentity identity_of(const ExtractorSpec& spec, const InputForm& form) {
  ExtractorIdentity out{spec.name,   "",          spec.protocol, resizer_name(form.resizer),
                        form.width,  form.height, spec.layer,    spec.width,
                        spec.weights};
  out.hash = definition_hash(out, spec, form);
  return out;
}

}  // namespace

at::Tensor network_input(std::span<const Image> rgb, const InputForm& form, const NetworkPlace& place) {
  std::vector<at::Tensor> resized(rgb.size());  // [channels,height,width] each
  at::parallel_for(0, static_cast<std::int64_t>(rgb.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const at::NoGradGuard no_gradients;  // a thread's own
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      resized[i] =
          resize_as(form.resizer, with_channels(rgb[i], form.channels), form.width, form.height, place.dtype);
  });
  const at::Tensor batch = at::stack(resized).to(place.device);
  return (batch - per_channel(form.shift, form, place)) / per_channel(form.scale, form, place);
}

NetworkExtractor::NetworkExtractor(const ExtractorSpec& spec, const InputForm& form,
                                   const NetworkPlace& place, Forward forward)
    : FeatureExtractor(identity_of(spec, form)), form_(form), place_(place), forward_(std::move(forward)) {}

at::Tensor NetworkExtractor::features_of_batch(std::span<const Image> rgb) const {
  const at::NoGradGuard no_gradients;
  return forward_(network_input(rgb, form_, place_));
}

}  // namespace torsor
