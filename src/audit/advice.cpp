#include "audit/advice.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "audit/audit_options.h"
#include "audit/finding.h"
#include "core/error.h"
#include "core/shell.h"
#include "io/run_directory.h"
#include "runs/run_settings.h"
#include "train/config.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kDoubtOfPairs = 0.05;     // 1 - the confidence of pairs_for()
constexpr const char* kMoreSeeds = "0-4";  // five runs: their agreement leaves half as much open as three's
constexpr double kAnchorWeight = 10;       // as strong as a cycle
constexpr double kContentWeight = 1, kJacobianWeight = 1, kIdentityWeight = 5;
constexpr const char* kYourFolder = "DIR";  // placeholders of commands
constexpr const char* kYourTable = "CSV";
constexpr const char* kYourModel = "MODEL";

// What findings say of the training.
struct Troubles {
  std::string symmetry;  // that the losses do not see; "" = none was shown
  bool runs_differ = false;
  bool null_task_failed = false;
  bool evidence_against = false;
  bool content_moved = false;

  bool any() const {
    return !symmetry.empty() || runs_differ || null_task_failed || evidence_against || content_moved;
  }
};

bool begins_with(const std::string& text, const char* beginning) { return text.rfind(beginning, 0) == 0; }

void add_trouble(const Json& finding, Troubles& out) {
  const AuditVerdict verdict = audit_verdict_named(finding.at("verdict"));
  const std::string role = finding.at("role"), id = finding.at("id"), title = finding.at("title");
  const bool red = verdict == AuditVerdict::red, speaks = red || verdict == AuditVerdict::amber;
  if (role == role_name(FindingRole::note) || role == role_name(FindingRole::gate)) return;
  if (role == role_name(FindingRole::evidence)) {
    out.evidence_against = out.evidence_against || red;
    return;
  }
  out.runs_differ = out.runs_differ || (red && begins_with(id, "seeds"));
  out.null_task_failed = out.null_task_failed || (red && begins_with(id, "null"));
  out.content_moved =
      out.content_moved || (speaks && (begins_with(id, "prevalence") || begins_with(id, "spots")));
  const bool of_symmetry = begins_with(id, "symmetr") || begins_with(id, "search");
  if (speaks && of_symmetry && out.symmetry.empty()) out.symmetry = title;
}

Troubles troubles_of(const Json& audit) {
  Troubles out;
  for (const Json& finding : audit.at("findings")) add_trouble(finding, out);
  for (const Json& rival : audit.value("rivals", Json::array()))
    if (out.symmetry.empty() && rival.value("automorphism", "") == "shown") {
      const std::string text = rival.value("text", "");
      out.symmetry = text.empty() ? rival.value("name", rival.value("id", "")) : text;
    }
  return out;
}

std::string reason_for_cures(const Troubles& t) {
  std::vector<std::string> reasons;
  if (t.runs_differ) reasons.push_back("trainings that differ in their seed alone give different answers");
  if (t.null_task_failed) reasons.push_back("the same training, asked to change nothing, changes images");
  if (!t.symmetry.empty())
    reasons.push_back(
        fmt::format("the losses hardly see a change that keeps the images' distribution ({})", t.symmetry));
  if (t.evidence_against) reasons.push_back("pairs or labels prefer another answer");
  if (t.content_moved) reasons.push_back("the translations hold more or less of something than their inputs");
  return " It fits here, since " + join(reasons, ", and ") + ".";
}

// Null where the options are not known: weights of other programs have none.
Json training_of(const Json& audit) {
  const Json training = audit.value("training", Json());
  return training.empty() ? Json() : training;
}

bool has_labels(const Json& audit) { return !audit.at("images").value("labels", Json()).is_null(); }

// A weight or folder that the training had.
bool is_used(const Json& training, const std::string& option) {
  if (!training.is_object() || !training.contains(option)) return false;
  const Json& value = training.at(option);
  return !(value.is_null() || value == Json("") || (value.is_number() && value.get<double>() == 0));
}

bool domains_have_equal_channels(const Json& training) {
  return !training.is_object() ||
         training.value("channels_a", Json()) == training.value("channels_b", Json());
}

AuditCure anchor_cure() {
  return {"Anchor pairs",
          "A few pairs of images that belong together tell the training which answer is meant; one can be "
          "enough where a translation changes images only locally. Keep other pairs for the audit: pairs "
          "that the training has seen show nothing.",
          "-anchors",
          {{"anchors_a", kYourFolder}, {"anchors_b", kYourFolder}, {"lambda_anchor", kAnchorWeight}}};
}

AuditCure label_cure() {
  return {"Classes for the discriminators",
          "Discriminators that know an image's class compare it with real images of that class only, so "
          "that a translator cannot exchange classes unseen. The tables name the class of each training "
          "image.",
          "-labels",
          {{"labels_a", kYourTable}, {"labels_b", kYourTable}}};
}

AuditCure content_cure() {
  return {"A content encoder",
          "A network that was trained on other images says what is to be seen in an input and in its "
          "translation, and the training pays for a difference.",
          "-content",
          {{"content_encoder", kYourModel}, {"lambda_content", kContentWeight}}};
}

AuditCure jacobian_cure() {
  return {"A sparse Jacobian",
          "Each place of a translation is made to depend on few places of the input. This fits changes of "
          "contrast, colour or texture, not changes of shape; it decides most together with anchor pairs.",
          "-sparse",
          {{"lambda_jacobian", kJacobianWeight}}};
}

AuditCure identity_cure() {
  return {"The identity loss",
          "Each generator is asked to change its input as little as it can. This fits domains that look "
          "alike, such as two contrasts of one organ. It also holds back changes that are wanted, and does "
          "not decide between answers that change images about as much.",
          "-identity",
          {{"alpha_id", kIdentityWeight}, {"lambda_identity", nullptr}}};
}

// Null for a model that this torsor does not know.
Json options_of_model(const Json& training) {
  try {
    return options_to_json(TrainConfig{ModelChoice(model_in(training, "the run's options"))});
  } catch (const UsageError&) {
    return nullptr;
  }
}

bool torsor_has(const AuditCure& cure, const Json& known) {
  return known.is_object() && std::all_of(cure.settings.items().begin(), cure.settings.items().end(),
                                          [&](const auto& item) { return known.contains(item.key()); });
}

// Where the run is, without what ends its name.
std::string run_name_of(const Json& audit, const Json& training) {
  std::string name = training.value("out", "");
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name.empty() ? "runs/" + audit.at("runs").at(0).at("name").get<std::string>() : name;
}

std::string command_of(const AuditCure& cure, const Json& audit, Json training) {
  if (!training.is_object()) return "";
  const std::string out = run_name_of(audit, training) + cure.folder;
  training.update(cure.settings);
  return train_command(training, out);
}

std::string audit_command(const Json& audit, const std::vector<std::string>& runs, const std::string& more) {
  std::string line = "torsor audit";
  for (const std::string& run : runs) line += " " + run;
  for (const char* domain : {"a", "b"})
    line += fmt::format(" --{} {}", domain,
                        shell_word(audit.at("images").at(domain).at("folder").get<std::string>()));
  return line + more;
}

Json seeds_advice(const Json& audit, Json training) {
  std::string command;
  if (training.is_object()) {
    training.erase("seed");
    const std::string out = run_name_of(audit, training) + "-seeds";
    command = train_command(training, out) + " --seeds " + kMoreSeeds + "\n" +
              audit_command(audit, {shell_word(out) + "/seed-*"}, " --out " + shell_word(out + "-audit"));
  }
  return {
      {"title", "Runs of other seeds"},
      {"text",
       "One run says nothing of what another training would return. Where runs of other seeds differ from "
       "each other, the training does not decide between their answers; where they agree, they can still "
       "be wrong together."},
      {"command", command}};
}

Json pairs_advice(const Json& audit) {
  std::vector<std::string> runs;
  for (const Json& run : audit.at("runs")) runs.push_back(shell_word(run.at("source")));
  const double share = audit.at("thresholds").value("wrong_pairs", AuditThresholds().wrong_pairs);
  return {
      {"title", "Pairs that no training has seen"},
      {"text",
       fmt::format("Unpaired images cannot show that a translation is right; pairs can. At least {} pairs "
                   "of different patients or scenes are needed, all of them without a fault, to say that "
                   "at most {:.0f} % of translations are wrong.",
                   pairs_for(share), 100 * share)},
      {"command",
       audit_command(audit, runs,
                     fmt::format(" --pairs-a {0} --pairs-b {0} --out audit-with-pairs", kYourFolder))}};
}

// The run directory of a file of weights in it; "" where it is in none.
std::string run_directory_of(const fs::path& source) {
  const fs::path folder = source.parent_path();
  const RunDirectory beside(folder), above(folder.parent_path());
  if (source == beside.model() || source == beside.best()) return folder.string();
  return folder == above.checkpoints() ? above.root().string() : "";
}

// Twice as long where the run has ended; else to its end.
std::string longer_command(const Json& run, const Json& training) {
  const std::string folder = run_directory_of(run.at("source").get<std::string>());
  if (folder.empty() || !training.is_object()) return "";
  std::string line = "torsor train --resume " + shell_word(folder);
  if (!run.value("finished", true)) return line;
  for (const char* length : {"epochs", "steps"}) {
    const Json value = training.value(length, Json());
    if (value.is_number_integer() && value.get<std::int64_t>() > 0)
      line += " " + flag_text(length, 2 * value.get<std::int64_t>());
  }
  return line;
}

Json solution_advice(const Json& audit, const Json& training) {
  const Json& run = audit.at("runs").at(0);
  return {
      {"title", run.value("finished", true) ? "Train for longer" : "Train to the end"},
      {"text",
       "The translations do not yet look like the target domain, or cannot be brought back. The report of "
       "the run (torsor report) shows its samples and losses. Where they no longer improve, a longer "
       "training will not help; then the images, their number and their size are to be looked at (torsor "
       "doctor)."},
      {"command", longer_command(run, training)}};
}

}  // namespace

std::vector<AuditCure> fitting_cures(const Json& audit) {
  const Json training = training_of(audit);
  const Troubles troubles = troubles_of(audit);
  std::vector<AuditCure> out;
  if (!troubles.any()) return out;
  const std::string reason = reason_for_cures(troubles);
  out.push_back(anchor_cure());
  if (has_labels(audit)) out.push_back(label_cure());
  out.push_back(content_cure());
  out.push_back(jacobian_cure());
  if (domains_have_equal_channels(training)) out.push_back(identity_cure());
  for (AuditCure& cure : out) cure.text += reason;
  std::erase_if(out, [&](const AuditCure& cure) { return is_used(training, cure.settings.begin().key()); });
  return out;
}

std::int64_t pairs_for(double share) {
  return static_cast<std::int64_t>(std::ceil(std::log(kDoubtOfPairs) / std::log1p(-share)));
}

Json advice_for(const Json& audit) {
  const Json training = training_of(audit);
  const AuditVerdict verdict = audit_verdict_named(audit.at("verdict"));
  Json out = Json::array();
  if (verdict == AuditVerdict::green) return out;
  if (verdict == AuditVerdict::cannot_tell) {
    out.push_back(solution_advice(audit, training));
    return out;
  }
  const Json known = training.is_object() ? options_of_model(training) : options_to_json(TrainConfig{});
  for (const AuditCure& cure : fitting_cures(audit))
    if (torsor_has(cure, known))
      out.push_back(
          {{"title", cure.title}, {"text", cure.text}, {"command", command_of(cure, audit, training)}});
  if (audit.at("runs").size() == 1) out.push_back(seeds_advice(audit, training));
  if (audit.at("images").value("pairs", Json()).is_null()) out.push_back(pairs_advice(audit));
  return out;
}

}  // namespace torsor
