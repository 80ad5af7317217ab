#include "alarm/alarms.h"

#include "alarm/looks.h"

namespace torsor {

namespace {

constexpr std::int64_t kAtOnce = 1, kTwice = 2;
// A discriminator may win for a while and lose again.
constexpr std::int64_t kForLong = 5;

}  // namespace

const Registry<Alarm>& alarms() {
  static const Registry<Alarm> table = [] {
    Registry<Alarm> r("alarm");
    r.add("non_finite", {"resume from an earlier checkpoint with a lower --lr or --precision fp32", kAtOnce,
                         look_for_non_finite});
    r.add("blank", {"lower --lr, or raise the cycle weights", kTwice, look_for_blank});
    r.add("collapse",
          {"lower --lr, raise the cycle weights, or take another --gan-mode", kTwice, look_for_collapse});
    r.add("saturated", {"lower --lr-d, or make the discriminator smaller (--ndf, --n-layers-d)", kForLong,
                        look_for_saturated});
    r.add("inversion",
          {"raise --lambda-identity, or begin again with another --seed", kTwice, look_for_inversion});
    r.add("no_op", {"lower --lambda-identity (or --alpha-id), raise --lambda-gan, or try --precision fp32",
                    kTwice, look_for_no_op});
    r.add("border",
          {"let the learning rate decay (--epochs-decay), or take --norm instance", kTwice, look_for_border});
    r.add("hidden", {"lower the cycle weights: the reconstructions are better than the translations explain",
                     kTwice, look_for_hidden});
    return r;
  }();
  return table;
}

std::map<std::string, std::optional<AlarmFinding>> look_for_all(const Evidence& evidence) {
  const std::optional<AlarmFinding> non_finite = look_for_non_finite(evidence);
  if (non_finite) return {{"non_finite", non_finite}};
  std::map<std::string, std::optional<AlarmFinding>> out;
  for (const std::string& name : alarms().names()) out[name] = alarms().at(name).look(evidence);
  return out;
}

}  // namespace torsor
