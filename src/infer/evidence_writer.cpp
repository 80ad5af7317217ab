#include "infer/evidence_writer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "data/image_distances.h"
#include "infer/output_writer.h"
#include "io/checksum.h"

namespace torsor {

namespace {

constexpr const char* kWithholdNothing = "nothing";
constexpr const char* kWithholdDoubtful = "doubtful";

LargeImages large_images_of(const GeneratorRunner& runner, MemoryUse memory) {
  return LargeImages(runner, [memory] {
    return memory == MemoryUse::any ? MemoryRoom{HUGE_VAL, ""} : memory_room();
  });
}

// The earlier output of a name that now stands for one that is withheld.
void remove_withheld(const TranslationJob& job) {
  std::error_code ec;
  if (resolved_place(job.in) == resolved_place(job.out))
    fail("{}: is withheld, but would be its own input's place; write to another folder", job.out.string());
  fs::remove(job.out, ec);
  if (ec)
    fail("{}: is to be withheld, and the earlier one cannot be removed: {}", job.out.string(), ec.message());
}

}  // namespace

void add_refuse(OptionSet& o, std::string& field) {
  o.add("refuse", field,
        "doubtful: outputs that their evidence flags are not written, only the evidence is, and the exit "
        "code is "
        "3")
      .choices({kWithholdNothing, kWithholdDoubtful})
      .common();
}

Withhold withhold_named(const std::string& name) {
  return name == kWithholdDoubtful ? Withhold::doubtful : Withhold::nothing;
}

EvidenceWriter::EvidenceWriter(const GeneratorRunner& runner, EvidenceSource source,
                               std::vector<GeneratorRunner> also, EvidenceWish wish,
                               const Treatment& treatment, LargeImages::Say say)
    : runner_(runner),
      source_(std::move(source)),
      also_(std::move(also)),
      wish_(wish),
      treatment_(treatment),
      say_(std::move(say)),
      forward_(large_images_of(runner_, treatment_.memory)) {
  if (const GeneratorRunner* back = source_.check().back())
    back_ = std::make_unique<LargeImages>(large_images_of(*back, treatment_.memory));
  for (const GeneratorRunner& other : also_)
    others_.push_back(std::make_unique<LargeImages>(large_images_of(other, treatment_.memory)));
}

EvidenceWriter::Seen EvidenceWriter::look_at(const TranslationJob& job, const Image& preview) const {
  return {{job.in.string(), checksum_of(job.given != nullptr ? *job.given : read_file(job.in))},
          source_.recognise(preview)};
}

EvidenceWriter::Made EvidenceWriter::combine(const at::Tensor& x, const at::Tensor& first,
                                             const std::string& name) {
  if (others_.empty()) return {x, first, {}};
  std::vector<at::Tensor> all = {first.to(at::kCPU)};
  for (std::size_t i = 0; i < others_.size(); ++i)
    all.push_back(
        others_[i]->translate(x, fmt::format("{} by {}", name, also_[i].loaded().source), say_).to(at::kCPU));
  const at::Tensor made = at::stack(all);
  return {x, combined(made, wish_.output), spread_of(made, span_of(runner_.loaded().info.scaling()))};
}

std::optional<EnsembleEvidence> EvidenceWriter::ensemble_of(const Made& made, std::int64_t i,
                                                            const TranslationJob& job) const {
  if (!made.spread.defined()) return std::nullopt;
  EnsembleEvidence out;
  out.models.push_back(runner_.loaded().source);
  for (const GeneratorRunner& other : also_) out.models.push_back(other.loaded().source);
  out.output = ensemble_name(wish_.output);
  out.spread = made.spread[i].mean().item<double>();
  out.worst_patch = worst_patches(made.spread.narrow(0, i, 1)).item<double>();
  out.map = beside(job.out, kSpreadEnding).filename().string();
  return out;
}

void EvidenceWriter::write(const TranslationJob& job, const InputPage& page, const Seen& seen,
                           const Made& made, std::int64_t i) {
  const std::string name = job.in.string();
  const DeliveredOutput output = deliver(runner_, made.delivered[i], page, job.out, treatment_.encode);
  EvidenceSubject subject;
  subject.input = seen.input;
  subject.output = {job.out.filename().string(), checksum_of(output.bytes)};
  subject.likeness = seen.likeness;
  subject.x = made.x.narrow(0, i, 1);
  subject.delivered = output.values;
  subject.format = output.format;
  subject.resize = treatment_.resize;
  subject.ensemble = ensemble_of(made, i, job);
  const TensorMapping bring_back = [&](const at::Tensor& y) {
    return back_->translate(y, name + ", brought back,", say_);
  };
  Evidence evidence = source_.weigh(
      subject, wish_.limits, bring_back,
      forward_.fits(subject.x) ? OutputCheck::ScoredAs::whole : OutputCheck::ScoredAs::too_large);
  evidence.delivered = wish_.withhold == Withhold::nothing || !evidence.doubtful();
  make_folder_of(job.out);
  if (made.spread.defined()) write_image(beside(job.out, kSpreadEnding), spread_picture(made.spread[i]));
  write_file_atomically(beside(job.out, kEvidenceEnding), evidence.text());
  if (evidence.delivered)
    write_file_atomically(job.out, output.bytes);
  else
    remove_withheld(job);
  doubtful_ += evidence.doubtful() ? 1 : 0;
  ++(evidence.delivered ? written_ : withheld_);
}

}  // namespace torsor
