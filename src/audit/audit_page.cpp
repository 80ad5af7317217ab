#include "audit/audit_page.h"

#include <algorithm>
#include <cmath>

#include "audit/audit_figures.h"
#include "audit/audit_page_sections.h"
#include "audit/finding.h"
#include "core/error.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

constexpr double kDoubt = 0.05;         // 1 - the confidence of what agreement leaves open
constexpr std::int64_t kUsualRuns = 3;  // of which a page of one run tells

struct VerdictWords {
  Tone tone;
  const char *word, *headline, *meaning, *why;
};

VerdictWords words_of(AuditVerdict verdict) {
  switch (verdict) {
    case AuditVerdict::red:
      return {Tone::bad, "Red", "Do not rely on these translations",
              "The training could have ended with another answer, or did. A translation can look right and "
              "still show what is not in its input.",
              "Why it is red"};
    case AuditVerdict::green:
      return {Tone::good, "Green", "Supported by evidence from outside the training",
              "On pairs or labels that the training never saw, this translator did better than every other "
              "answer that was tried. That holds for images like those, and for faults that are large enough "
              "to be seen here.",
              "What green rests on"};
    case AuditVerdict::cannot_tell:
      return {Tone::unknown, "Cannot tell", "This run is not fit to be judged",
              "It is not shown that these translations look like the target domain and can be brought back. "
              "Before that, nothing else says which answer the training found.",
              "Why it cannot be told"};
    case AuditVerdict::amber:
      break;
  }
  return {Tone::caution, "Amber", "Not shown to be right",
          "A wrong translator can have the same losses as a right one, and its images can look as good.",
          "Why it is not green"};
}

bool is_note(const Json& finding) { return finding.at("role") == role_name(FindingRole::note); }

std::string word_in_table(const Json& finding) {
  if (is_note(finding)) return "note";
  const AuditVerdict verdict = audit_verdict_named(finding.at("verdict"));
  return verdict == AuditVerdict::cannot_tell ? "cannot tell" : verdict_name(verdict);
}

std::string percent_of(double share) { return fmt::format("{:.0f} %", 100 * share); }

// Of an amber verdict: what runs that agree do not say.
std::string left_open_text(std::int64_t runs) {
  if (runs < 2)
    return fmt::format(
        "One run says nothing of what another training would return. Even {} runs that agree leave open that "
        "up to {} of all trainings end with another answer (95 % confidence; the first run only names the "
        "answer, and {} others have repeated it).",
        kUsualRuns, percent_of(share_left_open(kUsualRuns)), kUsualRuns - 1);
  return fmt::format(
      "Runs that agree can all be wrong. Where all {} runs of this audit agree, that still leaves open that "
      "up to {} of all trainings end with another answer (95 % confidence; the first run only names the "
      "answer, and {} repeated it).",
      runs, percent_of(share_left_open(runs)),
      runs == 2 ? "one other has" : fmt::format("{} others have", runs - 1));
}

void show_verdict(const Json& audit, AuditVerdict verdict, HtmlPage& page) {
  const VerdictWords words = words_of(verdict);
  page.banner({words.tone, words.word, words.headline, audit.at("because")});
  page.paragraph(words.meaning);
  if (verdict == AuditVerdict::amber) page.paragraph(left_open_text(std::ssize(audit.at("runs"))));
  page.callout(Callout::warning, "On medical images", audit.at("warning"));
}

void show_needed(const Json& audit, HtmlPage& page) {
  auto needed = audit.at("needed").get<std::vector<std::string>>();
  if (needed.empty()) return;
  for (std::string& item : needed) item = upper(item.substr(0, 1)) + item.substr(1);
  page.heading("What would settle it", "settle");
  page.list(needed);
}

enum class Weight {
  decides,    // its own verdict is that of the whole
  undecided,  // it keeps the verdict from being better, since it could not be decided
  other
};

// The rule of judge_audit().
Weight weight_of(const Json& finding, AuditVerdict whole) {
  if (is_note(finding)) return Weight::other;
  const AuditVerdict own = audit_verdict_named(finding.at("verdict"));
  const std::string role = finding.at("role");
  if (whole == AuditVerdict::green)
    return role == role_name(FindingRole::evidence) ? Weight::decides : Weight::other;
  const bool gate = role == role_name(FindingRole::gate);
  if (gate != (whole == AuditVerdict::cannot_tell)) return Weight::other;
  if (own == whole) return Weight::decides;
  return whole == AuditVerdict::amber && own == AuditVerdict::cannot_tell ? Weight::undecided : Weight::other;
}

void show_finding(const Json& finding, AuditFigures& figures, HtmlPage& page) {
  page.subheading(finding.at("title"));
  page.paragraph(finding.at("text"));
  figures.show(finding.value("files", std::vector<std::string>{}), page);
}

// In words, without pictures.
void show_in_words(const std::vector<Json>& findings, HtmlPage& page) {
  Table table{{"", ""}, {}, ""};
  for (const Json& finding : findings) table.rows.push_back({finding.at("title"), finding.at("text")});
  page.table(table);
}

void show_deciding(const Json& audit, AuditVerdict verdict, AuditFigures& figures, HtmlPage& page) {
  page.heading(words_of(verdict).why, "why");
  std::vector<Json> undecided;
  bool any = false;
  for (const Json& finding : audit.at("findings")) {
    const Weight weight = weight_of(finding, verdict);
    const bool with_pictures =
        weight == Weight::decides ||
        (weight == Weight::undecided && finding.at("role") == role_name(FindingRole::evidence));
    if (with_pictures) show_finding(finding, figures, page);
    if (weight == Weight::undecided && !with_pictures) undecided.push_back(finding);
    any = any || weight != Weight::other;
  }
  if (!any)
    page.paragraph(
        "No finding speaks against these translations. What is missing is evidence that they are right: "
        "nothing that is computed from unpaired images can give it.");
  if (undecided.empty()) return;
  page.subheading("What could not be decided");
  show_in_words(undecided, page);
}

Table findings_table(const std::vector<Json>& findings) {
  Table table{{"finding", "verdict", "value (95 % interval)", "line drawn at"}, {}, ""};
  for (const Json& finding : findings)
    table.rows.push_back({finding.at("title"), word_in_table(finding), audit_number(finding),
                          audit_cell(finding.at("threshold"))});
  return table;
}

// Notes come last.
void show_all_findings(const Json& audit, AuditVerdict verdict, HtmlPage& page) {
  page.heading("All findings", "findings");
  std::vector<Json> findings(audit.at("findings").begin(), audit.at("findings").end());
  std::stable_partition(findings.begin(), findings.end(), [](const Json& f) { return !is_note(f); });
  page.paragraph(
      "Distances between images are shares: 0 is the same image, 1 is as far apart as two unrelated images "
      "of "
      "the same domain.");
  page.table(findings_table(findings));
  std::erase_if(findings, [&](const Json& f) { return weight_of(f, verdict) != Weight::other; });
  if (findings.empty()) return;
  page.subheading("What the others say");
  show_in_words(findings, page);
}

std::string subject_of(const Json& audit) {
  const Json& runs = audit.at("runs");
  const std::string first = runs.at(0).at("name");
  if (runs.size() == 1) return first;
  return fmt::format("{} and {} other run{}", first, runs.size() - 1, runs.size() == 2 ? "" : "s");
}

void show_jumps(const Json& audit, AuditVerdict verdict, HtmlPage& page) {
  std::vector<Jump> jumps = {{words_of(verdict).why, "why"}, {"All findings", "findings"}};
  if (!audit.at("advice").empty()) jumps.push_back({"What to do", "advice"});
  jumps.push_back({"What was measured", "parts"});
  jumps.push_back({"Runs and images", "inputs"});
  page.jumps(jumps);
}

}  // namespace

double share_left_open(std::int64_t runs) {
  return runs < 2 ? 1 : 1 - std::pow(kDoubt, 1 / static_cast<double>(runs - 1));
}

HtmlPage audit_page(const Json& audit, const fs::path& out, const std::string& command) {
  HtmlPage page("Audit of " + subject_of(audit),
                "Is this translator the only answer that its training could give, and is it the right one?",
                "torsor " + audit.at("torsor").get<std::string>());
  AuditFigures figures(audit.at("parts"), out);
  const AuditVerdict verdict = audit_verdict_named(audit.at("verdict"));
  show_verdict(audit, verdict, page);
  show_needed(audit, page);
  show_jumps(audit, verdict, page);
  show_deciding(audit, verdict, figures, page);
  show_all_findings(audit, verdict, page);
  show_audit_parts(audit, figures, page);
  show_audit_reach(audit, figures, page);
  show_audit_advice(audit, page);
  show_audit_inputs(audit, page);
  if (command.empty()) return page;
  page.heading("To run this audit again");
  page.command(command);
  return page;
}

}  // namespace torsor
