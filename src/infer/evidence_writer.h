// Translations with their evidence beside them, and doubtful ones withheld.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/delivered_output.h"
#include "infer/ensemble.h"
#include "infer/evidence_source.h"
#include "infer/large_images.h"
#include "infer/translation_plan.h"
#include "infer/treatment.h"

namespace torsor {

enum class Withhold { nothing, doubtful };

/// The option refuse, and what its value means.
void add_refuse(OptionSet& o, std::string& field);
Withhold withhold_named(const std::string& name);

struct EvidenceWish {
  EvidenceLimits limits;
  EnsembleOutput output = EnsembleOutput::first;
  Withhold withhold = Withhold::nothing;
};

/// One thread.
class EvidenceWriter {
 public:
  /// Of the runner's translations, beside which those of `also` stand. The runner must outlive it. `say`
  /// receives what is worth knowing of large images.
  EvidenceWriter(const GeneratorRunner& runner, EvidenceSource source, std::vector<GeneratorRunner> also,
                 EvidenceWish wish, const Treatment& treatment, LargeImages::Say say);

  /// What is known of an input before it is translated.
  struct Seen {
    Evidence::File input;
    std::optional<Recognition> likeness;
  };
  /// `preview` as EvidenceSource::recognise() takes it. Throws Error when the file cannot be read.
  Seen look_at(const TranslationJob& job, const Image& preview) const;

  /// A batch: x [N,C,H,W] of the inputs, what is delivered of it, and the models' spread.
  struct Made {
    at::Tensor x, delivered;  // [N,C,H,W], [N,C',H,W]
    at::Tensor spread;        // [N,H,W]; undefined for one model
  };
  /// `first` is what the runner made of x; `name` stands for the batch in messages.
  Made combine(const at::Tensor& x, const at::Tensor& first, const std::string& name);

  /// Writes image i of the batch: the spread's map, the evidence, and last the output or, where it is
  /// withheld, nothing; an earlier output of that name is then removed. Throws Error naming a file that
  /// cannot be written.
  void write(const TranslationJob& job, const InputPage& page, const Seen& seen, const Made& made,
             std::int64_t i);

  std::int64_t written() const { return written_; }
  std::int64_t withheld() const { return withheld_; }
  std::int64_t doubtful() const { return doubtful_; }  // withheld ones among them

 private:
  std::optional<EnsembleEvidence> ensemble_of(const Made& made, std::int64_t i,
                                              const TranslationJob& job) const;

  const GeneratorRunner& runner_;
  const EvidenceSource source_;
  const std::vector<GeneratorRunner> also_;
  const EvidenceWish wish_;
  const Treatment treatment_;
  const LargeImages::Say say_;
  LargeImages forward_;
  std::unique_ptr<LargeImages> back_;
  std::vector<std::unique_ptr<LargeImages>> others_;
  std::int64_t written_ = 0, withheld_ = 0, doubtful_ = 0;
};

}  // namespace torsor
