#include "app/train_flags.h"

#include <algorithm>

#include "core/error.h"
#include "core/plain_text.h"
#include "core/text.h"

namespace torsor::app {

namespace {

// `option` counts only while `master` has one of `values`.
struct Dependence {
  const char* option;
  const char* master;
  std::vector<Json> values;
};

const std::vector<Dependence>& dependences() {
  static const std::vector<Dependence> table = {
      {"lr_decay_epochs", "lr_policy", {"step"}}, {"plateau_loss", "lr_policy", {"plateau"}},
      {"n_layers_d", "net_d", {"n_layers"}},      {"gp_weight", "gan_mode", {"wgangp"}},
      {"beta1", "optimizer", {"adam"}},           {"beta2", "optimizer", {"adam"}},
      {"momentum", "optimizer", {"sgd"}},         {"flow_tolerance", "flow_solver", {"dopri5"}},
  };
  return table;
}

// `option` says of what a loss is, whose weight is 0 unless it is given. Given as 0 it may be one of a
// series.
struct Weighed {
  const char *option, *weight;
};

constexpr Weighed kWeighed[] = {{"transport_cost", "lambda_transport"},
                                {"transport_encoder", "lambda_transport"}};

bool is_among(const std::vector<std::string>& given, const char* name) {
  return std::find(given.begin(), given.end(), name) != given.end();
}

void require_weights(OptionSet& options, const std::vector<std::string>& given) {
  for (const auto& [option, weight] : kWeighed)
    if (is_among(given, option) && !is_among(given, weight) && options.find(weight)->value() == 0)
      fail_usage("{} does nothing without {}; give both", options.find(option)->flag(),
                 options.find(weight)->flag());
}

}  // namespace

void require_sense(OptionSet& options, const std::vector<std::string>& given) {
  require_weights(options, given);
  for (const Dependence& d : dependences()) {
    if (!is_among(given, d.option)) continue;
    const Json value = options.find(d.master)->value();
    if (std::find(d.values.begin(), d.values.end(), value) != d.values.end()) continue;
    std::vector<std::string> good;
    for (const Json& each : d.values) good.push_back(plain_text(each));
    const std::string master = options.find(d.master)->flag();
    fail_usage("{} does nothing with {} {}; leave it out, or give {} {}", options.find(d.option)->flag(),
               master, plain_text(value), master, join(good, " or "));
  }
}

}  // namespace torsor::app
