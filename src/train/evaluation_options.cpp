#include "train/evaluation_options.h"

#include <charconv>

#include "core/error.h"

namespace torsor {

EarlyStopRule EarlyStopRule::parse(const std::string& text, const std::string& where) {
  const auto colon = text.rfind(':');
  EarlyStopRule out;
  if (colon != std::string::npos) {
    out.metric = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto [stopped, status] = std::from_chars(text.data() + colon + 1, end, out.patience);
    if (status != std::errc() || stopped != end) out.patience = 0;
  }
  if (out.metric.empty() || out.patience < 1)
    fail_usage(
        "{}: '{}' is no METRIC:PATIENCE; write for example kid:5, to stop after five evaluations that "
        "brought no better KID",
        where, printable(text));
  return out;
}

void EvaluationOptions::describe(OptionSet& o) {
  o.group("Evaluation");
  o.add("eval_every", eval_every,
        "steps between evaluations on images that are held out of training (--val-a and --val-b, or "
        "--val-share; else testA and testB); 0 = none")
      .at_least(0)
      .changeable()
      .common();
  o.add("eval_metrics", eval_metrics,
        "metrics of torsor evaluate to compute then, with commas between; of pairs only with --pairing "
        "aligned")
      .changeable();
  o.add("eval_features", eval_features,
        "feature extractor for metrics of sets: a name or a file, as --features of torsor evaluate")
      .changeable();
  o.add("eval_images", eval_images, "use the first that many held-out images of each domain; 0 = all")
      .at_least(0)
      .changeable();
  o.add("keep_best", keep_best,
        "write best.safetensors into the run directory when this metric improves: kid_a_to_b, or kid for the "
        "mean of both directions")
      .changeable();
  o.add("early_stop", early_stop,
        "METRIC:PATIENCE: end the run when so many evaluations in a row have not improved the metric (kid:5)")
      .check([](const std::string& text, const std::string& where) {
        if (!text.empty()) EarlyStopRule::parse(text, where);
      })
      .changeable();
}

void EvaluationOptions::validate() const {
  if (is_on()) return;
  for (const auto& [flag, value] :
       {std::pair{"--keep-best", keep_best}, std::pair{"--early-stop", early_stop}})
    if (!value.empty()) fail_usage("{} {}: nothing is evaluated; give --eval-every STEPS too", flag, value);
}

}  // namespace torsor
