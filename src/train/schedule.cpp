#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/text.h"

namespace torsor {

namespace {

// The reference's settings of torch's ReduceLROnPlateau.
constexpr double kPlateauFactor = 0.2;
constexpr double kPlateauThreshold = 0.01;
constexpr std::int64_t kPlateauPatience = 5;

}  // namespace

void ScheduleOptions::describe(OptionSet& o) {
  o.add("epochs", epochs, "epochs at the full learning rate").range(0, 1e9).changeable().common();
  o.add("epochs_decay", epochs_decay, "epochs that follow, in which lr_policy linear goes towards 0")
      .range(0, 1e9)
      .changeable()
      .common();
  o.add("lr_policy", lr_policy,
        "linear: constant, then down; linear_from_start: down from the first epoch; step: x0.1 every "
        "lr_decay_epochs; cosine: half a wave over the run; plateau: x0.2 when plateau_loss stalls; constant")
      .choices({"linear", "linear_from_start", "step", "plateau", "cosine", "constant"})
      .changeable();
  o.add("lr_decay_epochs", lr_decay_epochs, "epochs between the drops of lr_policy step")
      .at_least(1)
      .changeable();
  o.add("plateau_loss", plateau_loss, "the loss that lr_policy plateau watches").changeable();
}

void ScheduleOptions::validate() const {
  if (total() < 1) fail_usage("--epochs and --epochs-decay are both 0: there is nothing to train");
}

void Schedule::check_losses(const std::vector<std::string>& names) const {
  if (options_.lr_policy != "plateau") return;
  if (std::find(names.begin(), names.end(), options_.plateau_loss) == names.end())
    fail_usage("--plateau-loss: unknown loss '{}'{} (one of {})", options_.plateau_loss,
               did_you_mean(options_.plateau_loss, names), join(names));
}

double Schedule::factor_at(std::int64_t epoch) const {
  const auto e = static_cast<double>(epoch);
  const auto n = static_cast<double>(options_.epochs), d = static_cast<double>(options_.epochs_decay);
  if (options_.lr_policy == "linear") return std::max(0.0, 1 - std::max(0.0, e + 1 - n) / (d + 1));
  if (options_.lr_policy == "linear_from_start") return std::max(0.0, 1 - (e + 1) / (n + d + 1));
  if (options_.lr_policy == "step")
    return std::pow(0.1, static_cast<double>(epoch / options_.lr_decay_epochs));
  if (options_.lr_policy == "cosine")
    return (1 + std::cos(std::numbers::pi * std::min(1.0, e / (n + d)))) / 2;
  return 1;
}

bool Schedule::is_better(double value) const {
  const bool rising = std::find(rising_.begin(), rising_.end(), options_.plateau_loss) != rising_.end();
  const bool nearer_to_0 = rising == (best_ < 0);
  const double wanted = best_ * (nearer_to_0 ? 1 - kPlateauThreshold : 1 + kPlateauThreshold);
  return rising ? value > wanted : value < wanted;
}

double Schedule::plateau_factor(const TrainState& state) {
  if (state.epoch == seen_epoch_) return factor_;
  seen_epoch_ = state.epoch;
  const auto found = state.meters.last_epoch().find(options_.plateau_loss);
  if (found == state.meters.last_epoch().end()) return factor_;  // an observer published none
  const double value = found->second;
  if (!has_best_ || is_better(value)) {
    best_ = value;
    has_best_ = true;
    bad_epochs_ = 0;
  } else if (++bad_epochs_ > kPlateauPatience) {
    factor_ *= kPlateauFactor;
    bad_epochs_ = 0;
  }
  return factor_;
}

void Schedule::apply(TrainState& state, const std::vector<Optimizer*>& optimizers) {
  const double factor = options_.lr_policy == "plateau" ? plateau_factor(state) : factor_at(state.epoch);
  for (Optimizer* optimizer : optimizers) optimizer->set_lr_factor(factor);
  state.lr = optimizers.front()->lr();
}

Json Schedule::save() const {
  return {{"seen_epoch", seen_epoch_},
          {"factor", factor_},
          {"best", best_},
          {"has_best", has_best_},
          {"bad_epochs", bad_epochs_}};
}

void Schedule::load(const Json& saved) {
  saved.at("seen_epoch").get_to(seen_epoch_);
  saved.at("factor").get_to(factor_);
  saved.at("best").get_to(best_);
  saved.at("has_best").get_to(has_best_);
  bad_epochs_ = json_count(saved.at("bad_epochs"));
}

}  // namespace torsor
