#include "interchange/network_hints.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "nn/network.h"

namespace torsor {

namespace {

// The likeliest first.
std::vector<std::string> possible_norms(const NormKeys& keys) {
  if (!keys.scales)
    return keys.keeps_statistics ? std::vector<std::string>{"instance"}
                                 : std::vector<std::string>{"instance", "none"};
  if (!keys.keeps_statistics) return {"instance_affine"};
  return keys.conv_bias ? std::vector<std::string>{"instance_affine_running", "batch"}
                        : std::vector<std::string>{"batch", "instance_affine_running"};
}

bool is_among(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The user need not know of running statistics.
std::string chosen_norm(const std::string& said, const std::vector<std::string>& possible) {
  const std::string running = said + "_running";
  return !is_among(said, possible) && is_among(running, possible) ? running : said;
}

// What the reference calls norm, as one of the possible ones; "" when it cannot be. Its own convolutions have
// a bias before an instance norm alone, also before one that somebody gave parameters.
std::string recorded_norm(const std::string& said, const NormKeys& keys,
                          const std::vector<std::string>& possible) {
  if (said == "none") return is_among(said, possible) && !keys.conv_bias ? said : "";
  if (said == "batch" || said == "syncbatch") return is_among("batch", possible) ? "batch" : "";
  for (const std::string& norm : possible)
    if (norm.starts_with("instance") && (keys.conv_bias || norm != "instance_affine_running")) return norm;
  return "";
}

// norm, or normG and normD of CUT; "" where another program has words of its own.
std::string norm_said(const NetworkHints& hints, const std::string& of_cut) {
  if (!hints.recorded) return "";
  const std::string norm = hints.recorded->text("norm");
  const std::string said = norm.empty() ? hints.recorded->text(of_cut) : norm;
  return is_among(said, {"instance", "batch", "syncbatch", "none"}) ? said : "";
}

std::string or_of(const std::vector<std::string>& names) {
  std::string out = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) out += " or " + names[i];
  return out;
}

std::string checked_recorded(const std::string& said, const NormKeys& keys, const std::string& source) {
  const std::vector<std::string> possible = possible_norms(keys);
  const std::string norm = recorded_norm(said, keys, possible);
  if (norm.empty())
    fail(
        "{}: train_opt.txt beside it says norm {}, but the tensors are those of norm {}{}; correct "
        "train_opt.txt or move it away, or decide by --norm",
        source, said, or_of(possible),
        keys.scales      ? ""
        : keys.conv_bias ? " with biased convolutions"
                         : " without parameters");
  return norm;
}

NormDecision decision(const std::string& norm, const NormKeys& keys) {
  const bool as_the_reference = (inner_bias(norm, "auto") == Bias::yes) == keys.conv_bias;
  return {norm, as_the_reference ? "auto" : keys.conv_bias ? "yes" : "no", ""};
}

}  // namespace

NormDecision decide_norm(const NormKeys& keys, const NetworkHints& hints, const std::string& source) {
  const std::vector<std::string> possible = possible_norms(keys);
  if (!hints.choice.norm.empty()) {
    const std::string norm = chosen_norm(hints.choice.norm, possible);
    if (!is_among(norm, possible))
      fail_usage("--norm {}: the tensors of {} are those of norm {}", hints.choice.norm, source,
                 or_of(possible));
    return decision(norm, keys);
  }
  const std::string said = norm_said(hints, "normG");
  if (!said.empty()) return decision(checked_recorded(said, keys, source), keys);
  NormDecision out = decision(possible.front(), keys);
  if (keys.scales && keys.keeps_statistics && keys.conv_bias)
    out.doubt = fmt::format(
        "{}: instance norm and batch norm with running statistics have the same keys and translate alike; "
        "{} is taken, --norm batch says otherwise",
        source, out.norm);
  if (possible.size() > 1 && !keys.scales && !keys.conv_bias)
    out.doubt = fmt::format(
        "warning: {}: its tensors fit a network with instance norm and one without norms; instance is taken, "
        "the likelier; pass --norm none if it was trained without",
        source);
  return out;
}

NormDecision decide_discriminator_norm(const NormKeys& keys, const NetworkHints& hints,
                                       const std::string& source) {
  const std::vector<std::string> possible = possible_norms(keys);
  const std::string norm = chosen_norm(hints.choice.norm, possible);
  if (is_among(norm, possible)) return decision(norm, keys);
  const std::string said = hints.choice.norm.empty() ? norm_said(hints, "normD") : "";
  return decision(said.empty() ? possible.front() : checked_recorded(said, keys, source), keys);
}

void require_same_generator(const std::string& net_g, std::int64_t ngf, const NetworkHints& hints,
                            const std::string& source) {
  const std::string& chosen = hints.choice.net_g;
  if (!chosen.empty() && chosen != net_g)
    fail_usage("--net-g {}: the tensors of {} are those of {}", chosen, source, net_g);
  if (!hints.recorded) return;
  const std::string recorded = hints.recorded->text("netG");
  // Other names are other programs' for what keys tell as well.
  const bool is_known = is_among(recorded, {"resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128"});
  if (chosen.empty() && is_known && recorded != net_g)
    fail(
        "{}: train_opt.txt beside it says netG {}, but the tensors are those of {}; correct train_opt.txt or "
        "move it away, or pass --net-g {}",
        source, recorded, net_g, net_g);
  const std::int64_t width = hints.recorded->number("ngf").value_or(ngf);
  if (width != ngf)
    fail(
        "{}: train_opt.txt beside it says ngf {}, but the tensors are {} wide: it belongs to other weights; "
        "correct it or move it away",
        source, width, ngf);
}

bool decide_dropout(std::optional<bool> by_keys, const NetworkHints& hints, const std::string& source,
                    std::vector<std::string>& notes) {
  const auto words = [](bool dropout) { return dropout ? "with" : "without"; };
  if (!hints.choice.dropout.empty()) {
    const bool chosen = hints.choice.dropout == "on";
    if (by_keys && *by_keys != chosen)
      fail_usage("--dropout {}: the tensors of {} are those of a generator {} dropout", hints.choice.dropout,
                 source, words(*by_keys));
    return chosen;
  }
  const std::optional<bool> off = hints.recorded ? hints.recorded->flag("no_dropout") : std::nullopt;
  if (by_keys && off && *by_keys == *off)
    fail(
        "{}: train_opt.txt beside it says no_dropout {}, but the tensors are those of a generator {} "
        "dropout; "
        "correct train_opt.txt or move it away, or pass --dropout {}",
        source, *off ? "True" : "False", words(*by_keys), *by_keys ? "on" : "off");
  if (by_keys) return *by_keys;
  if (!off)
    notes.push_back(
        "the weights do not show whether the U-Net had dropout; it matters in training alone: off, unless "
        "--dropout on");
  return off && !*off;
}

}  // namespace torsor
