// torsor audit
#include "audit/audit.h"

#include <algorithm>
#include <iostream>

#include "app/command_text.h"
#include "app/commands.h"
#include "app/progress.h"
#include "app/result_folder.h"
#include "core/allocation.h"
#include "core/error.h"

namespace torsor::app {

namespace fs = std::filesystem;

namespace {

constexpr int kFailedOn = 3;      // the exit code where --fail-on says so
constexpr std::size_t kSaid = 4;  // findings and wishes that a terminal shows

struct AuditSettings {
  std::string data;
  bool data_pairs = true;
  std::string a, b, pairs_a, pairs_b, labels_a, labels_b, classifier, train_a, train_b, write_rival, out;
  AuditOptions audit;
  std::string fail_on;
  PlacementOptions placement;
  std::int64_t threads = 0;
  bool overwrite = false;
  bool json = false;
  ProgressOptions progress;

  void describe(OptionSet& o);
  void validate() const;
};

void AuditSettings::describe(OptionSet& o) {
  o.add(
       "data", data,
       "instead of folders: the test images of what train's --data names; its test pairs, where it has some, "
       "are evidence")
      .common();
  o.add("data_pairs", data_pairs, "use the test pairs of --data as evidence");
  o.add("a", a, "folder of held-out images of domain A").common();
  o.add("b", b, "folder of held-out images of domain B").common();
  o.add("pairs_a", pairs_a,
        "folder of images of A whose right translations are in --pairs-b, by name; "
        "training must not have seen the pairs")
      .common();
  o.add("pairs_b", pairs_b, "folder of their right translations").common();
  o.add("labels_a", labels_a, "table \"name,label\" of the images of --a").common();
  o.add("labels_b", labels_b, "table \"name,label\" of the images of --b").common();
  o.add("classifier", classifier, "a classifier of torsor's, instead of tables");
  o.add(
      "train_a", train_a,
      "training images of A, which help to decide what keeps its distribution [those of the run, where they "
      "still are]");
  o.add("train_b", train_b, "training images of B");
  o.add(
      "write_rival", write_rival,
      "folder for the strongest rival as a model: another answer that no unpaired score tells from this one");
  o.add("out", out, "folder for audit.json, index.html and figures").common();
  o.add("fail_on", fail_on, "exit with 3 at this verdict or a worse one; cannot_tell counts as amber")
      .choices({"", "amber", "red"})
      .common();
  o.add("overwrite", overwrite, "replace an audit in the folder of --out");
  o.add("threads", threads, "compute threads; 0 = all processors that it may use").range(0, 1024);
  placement.describe(o);
  progress.describe(o);
  o.add("json", json, "print what audit.json holds; progress goes to standard error").common();
  audit.describe(o);
}

void AuditSettings::validate() const {
  progress.validate();
  if (json) progress.leave_output_to_json();
  if (out.empty()) fail_usage("--out is missing: torsor audit RUN [RUN...] --a DIR --b DIR --out DIR");
}

bool fails(AuditVerdict verdict, const std::string& fail_on) {
  if (fail_on.empty() || verdict == AuditVerdict::green) return false;
  return fail_on == "amber" || verdict == AuditVerdict::red;
}

// The words that a verdict is printed in.
std::string spoken(AuditVerdict verdict) {
  return verdict == AuditVerdict::cannot_tell ? "cannot tell" : verdict_name(verdict);
}

// Of all findings those that the verdict follows from; the page has the others.
std::vector<const Json*> deciding(const Audit& done) {
  std::vector<const Json*> out;
  for (const Json& finding : done.json.at("findings")) {
    const AuditVerdict own = audit_verdict_named(finding.at("verdict"));
    const bool as_undecided = done.verdict == AuditVerdict::amber && own == AuditVerdict::cannot_tell;
    if (finding.at("role") != "note" && (own == done.verdict || as_undecided)) out.push_back(&finding);
  }
  return out;
}

// The first few lines, and how many are left.
void say_first(const std::vector<std::string>& lines, const std::string& what, ProgressDisplay& display) {
  for (std::size_t i = 0; i < std::min(kSaid, lines.size()); ++i) display.say(lines[i]);
  if (lines.size() > kSaid) display.say(fmt::format("{} more {} on the page", lines.size() - kSaid, what));
}

void say_audit(const Audit& done, const AuditSettings& s, ProgressDisplay& display) {
  display.close();
  display.say(fmt::format("verdict: {}", spoken(done.verdict)));
  display.say(done.because);
  std::vector<std::string> findings, needed;
  for (const Json* finding : deciding(done))
    findings.push_back(fmt::format("  {}: {}", finding->at("title").get<std::string>(),
                                   finding->at("text").get<std::string>()));
  for (const Json& line : done.json.at("needed")) needed.push_back("to say more: " + line.get<std::string>());
  say_first(findings, "findings", display);
  say_first(needed, "ways to say more", display);
  display.say(fmt::format("written to {}: audit.json and the page index.html", s.out));
  display.report({{"event", "end"},
                  {"verdict", done.json.at("verdict")},
                  {"because", done.because},
                  {"page", audit_files(s.out).page.string()}});
  if (s.json) std::cout << done.json.dump(2) << "\n";
}

int audit(const std::vector<std::string>& positionals) {
  const auto& bound = Bound<AuditSettings>::instance();
  const AuditSettings& s = bound.settings;
  s.validate();
  require_free_result(s.out, audit_files(s.out).json, s.overwrite ? Earlier::replace : Earlier::keep);
  use_threads(s.threads);
  keep_freed_memory();
  const auto display =
      std::make_shared<ProgressDisplay>(s.progress.audience(), s.json ? Stream::error : Stream::output);
  display->report({{"event", "start"}, {"runs", positionals}, {"out", s.out}});
  const AuditRequest request{.runs = positionals,
                             .data = s.data,
                             .data_pairs = s.data_pairs,
                             .a = s.a,
                             .b = s.b,
                             .pairs_a = s.pairs_a,
                             .pairs_b = s.pairs_b,
                             .labels_a = s.labels_a,
                             .labels_b = s.labels_b,
                             .classifier = s.classifier,
                             .train_a = s.train_a,
                             .train_b = s.train_b,
                             .rival = s.write_rival,
                             .out = s.out,
                             .placement = s.placement};
  try {
    const Audit done =
        run_audit(request, s.audit,
                  command_text("audit", positionals, bound.options, {"quiet", "json_progress", "json"}, ""),
                  std::make_shared<PartsLog>(display), stop_flag());
    say_audit(done, s, *display);
    return fails(done.verdict, s.fail_on) ? kFailedOn : 0;
  } catch (const StoppedError&) {
    display->close();
    display->say_aside("stopped: what was measured so far is kept in " + s.out +
                       "; the same command goes on");
    return 128 + stop_flag().signal();
  }
}

}  // namespace

Command audit_command() {
  return {
      "audit",
      "Ask whether a translator can be trusted: what its images leave open, and what evidence says",
      {{"RUN", "run directories of one configuration and several seeds, or other weights", Need::several}},
      &Bound<AuditSettings>::instance().options,
      audit,
      {"torsor audit runs/zebras-seed0 runs/zebras-seed1 --a photos/testA --b photos/testB --out audit",
       "torsor audit runs/t1-flair --a T1 --b FLAIR --pairs-a held/T1 --pairs-b held/FLAIR --out audit "
       "--fail-on red"}};
}

}  // namespace torsor::app
