#include <ATen/ATen.h>

#include "audit/label_images.h"
#include "audit/labels.h"
#include "core/error.h"
#include "core/files.h"
#include "image/convert.h"
#include "io/checksum.h"
#include "metric/network_extractor.h"
#include "model/classifier_file.h"

namespace torsor {

namespace {

InputForm form_for(const ClassifierOptions& options) {
  InputForm form{Resizer::clean_bicubic, options.side, options.side};
  form.channels = options.in_channels;
  return form;
}

// The previews' most likely classes [n].
at::Tensor most_likely(Network& network, const InputForm& form, const NetworkPlace& place,
                       std::span<const Image> previews) {
  const at::NoGradGuard no_grad;
  std::vector<Image> floats;
  for (const Image& preview : previews) floats.push_back(with_channels(to_f32(preview), 3));
  return network.forward(network_input(floats, form, place)).flatten(1).argmax(1).to(at::kCPU);
}

StoredClassifier opened_classifier(const std::filesystem::path& path) {
  StoredClassifier file = load_classifier(path);
  if (file.options.classes > kMostLabelClasses)
    fail("{}: tells {} classes apart; an audit takes at most {}", path.string(), file.options.classes,
         kMostLabelClasses);
  if (!takes_channels(file.options, 3))
    fail("{}: its images have {} channels; an audit shows it grey or RGB images", path.string(),
         file.options.in_channels);
  return file;
}

}  // namespace

AuditLabels labels_by_classifier(const std::filesystem::path& classifier, const AuditImages& a,
                                 const AuditImages& b, const Placement& placement) {
  const StoredClassifier file = opened_classifier(classifier);
  const NetworkPlace place{placement.device, at::kFloat};
  file.network->to(place.device, place.dtype);
  AuditLabels out;
  for (std::int64_t k = 0; k < file.options.classes; ++k) out.classes.push_back(std::to_string(k));
  out.classify = [network = file.network, form = form_for(file.options), place, range_a = label_range(a),
                  range_b = label_range(b)](const at::Tensor& values, const std::string& domain) {
    return by_previews(values, domain == "a" ? range_a : range_b, [&](std::span<const Image> previews) {
      return most_likely(*network, form, place, previews);
    });
  };
  out.a = out.classify(a.values, "a");
  out.b = out.classify(b.values, "b");
  out.digest = content_key(read_file(classifier));
  out.source = fmt::format("the classifier {}, of unknown accuracy on these images", classifier.string());
  return out;
}

}  // namespace torsor
