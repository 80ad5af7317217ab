#include "app/translate_evidence.h"

#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/files.h"

namespace torsor::app {

void EvidenceFlags::describe(OptionSet& o) {
  o.group("Evidence");
  o.add(
       "evidence", evidence,
       "write OUTPUT.evidence.json beside each output: whether it can be brought back, how its discriminator "
       "scores it, whether its input is like the training images, the verdict of the model's last audit")
      .common();
  o.add("also", also,
        "further models of the same task, with commas between, such as runs of other seeds: how far they "
        "differ "
        "from MODEL goes into the evidence and, as a picture, into OUTPUT.spread.png");
  add_ensemble(o, ensemble);
  add_refuse(o, refuse);
  limits.describe(o);
}

void EvidenceFlags::validate() const {
  if (!evidence && !also.empty())
    fail_usage("--also: how far models differ is part of the evidence; give --evidence too");
  if (!evidence && refuse != "nothing")
    fail_usage("--refuse {}: what is doubtful is part of the evidence; give --evidence too", refuse);
  if (ensemble != "first" && also.empty())
    fail_usage("--ensemble {}: there is one model; name further ones with --also", ensemble);
}

std::vector<std::string> EvidenceFlags::companions() const {
  std::vector<std::string> out;
  if (evidence) out.emplace_back(kEvidenceEnding);
  if (!also.empty()) out.emplace_back(kSpreadEnding);
  return out;
}

EvidenceWish EvidenceFlags::wish() const {
  return {limits, ensemble_named(ensemble), withhold_named(refuse)};
}

std::vector<fs::path> EvidenceFlags::other_models() const {
  std::error_code ec;
  if (fs::exists(also, ec)) return {also};  // a name may have commas
  std::vector<fs::path> out;
  std::istringstream words(also);
  for (std::string word; std::getline(words, word, ',');)
    if (!word.empty()) out.emplace_back(word);
  return out;
}

std::unique_ptr<EvidenceWriter> evidence_writer(const EvidenceFlags& flags, const std::string& model,
                                                const WeightSet& set, const GeneratorRunner& runner,
                                                const RunnerOptions& options, const Treatment& treatment,
                                                TranslateReport& report) {
  if (!flags.evidence) return nullptr;
  EvidenceSource source(model, set, runner, options);
  std::vector<GeneratorRunner> also =
      open_ensemble(runner, source.generators(), flags.other_models(), options);
  const EvidenceWish wish = flags.wish();
  if (wish.withhold == Withhold::doubtful && also.empty() && !source.can_doubt(wish.output))
    fail("--refuse {}: nothing says what is doubtful of {}: {}, and it does not know its training images",
         flags.refuse, set.source, source.no_calibration());
  if (!source.no_calibration().empty())
    report.log().warning(
        fmt::format("{}: the evidence has no percentiles, as {}", set.source, source.no_calibration()));
  return std::make_unique<EvidenceWriter>(runner, std::move(source), std::move(also), wish, treatment,
                                          [&report](const std::string& line) { report.notice(line); });
}

}  // namespace torsor::app
