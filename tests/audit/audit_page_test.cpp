#include "audit/audit_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "planted_audit.h"
#include "test_support.h"

namespace torsor {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::plant;
using testing::planted_audit;
using testing::planted_finding;
using testing::TestFolder;

std::string page_of(const Json& audit, const fs::path& out) {
  return audit_page(audit, out, "torsor audit runs/scans --out audit").html();
}

std::string caption_of(const std::string& id) { return "<figcaption>Caption of figures/" + id + ".png"; }

// What a reader meets before the first table.
std::string before_tables(const std::string& html) { return html.substr(0, html.find("<table")); }

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class EveryVerdict : public ::testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(EveryVerdict, StandsFirstThenThePictureOfWhatDecides) {
  const auto [verdict, role, banner] = GetParam();
  TestFolder out;
  Json audit = planted_audit(verdict);
  audit["needed"] = {"Forty more pairs."};
  plant(audit, out.path, "deciding", planted_finding("decides", role, verdict));
  plant(audit, out.path, "other", planted_finding("noted", "note", "amber"));
  const std::string html = page_of(audit, out.path), first = before_tables(html);
  EXPECT_THAT(first, HasSubstr(std::string("<section class=\"verdict ") + banner));
  EXPECT_THAT(first, HasSubstr("Because of &lt;what&gt; was found."));
  EXPECT_THAT(first, HasSubstr("The authors warn."));
  EXPECT_THAT(first, HasSubstr("Forty more pairs."));
  EXPECT_THAT(first, HasSubstr("Text of decides."));
  EXPECT_THAT(first, HasSubstr(caption_of("decides")));
  EXPECT_LT(first.find("<section"), first.find("The authors warn."));
  EXPECT_LT(first.find("The authors warn."), first.find("Text of decides."));
  EXPECT_THAT(first, Not(HasSubstr("noted"))) << "a note does not shout";
  EXPECT_EQ(times(html, caption_of("decides")), 1u) << "not again in the section of its part";
  EXPECT_THAT(html, HasSubstr(caption_of("noted")));
  EXPECT_THAT(html, HasSubstr("<pre>torsor audit runs/scans --out audit</pre>"));
}

INSTANTIATE_TEST_SUITE_P(
    AuditPage, EveryVerdict,
    ::testing::Values(std::tuple{"red", "lowers", "bad\" aria-label=\"Verdict: Red\""},
                      std::tuple{"red", "evidence", "bad\" aria-label=\"Verdict: Red\""},
                      std::tuple{"amber", "lowers", "caution\" aria-label=\"Verdict: Amber\""},
                      std::tuple{"green", "evidence", "good\" aria-label=\"Verdict: Green\""},
                      std::tuple{"cannot_tell", "gate", "unknown\" aria-label=\"Verdict: Cannot tell\""}));

TEST(AuditPage, ShowsAboveTheTablesOnlyWhatDecides) {
  TestFolder out;
  Json red = planted_audit("red");
  plant(red, out.path, "x", planted_finding("differ", "lowers", "red"));
  plant(red, out.path, "x", planted_finding("mirror", "lowers", "amber"));
  plant(red, out.path, "x", planted_finding("gate", "gate", "green"));
  EXPECT_THAT(before_tables(page_of(red, out.path)), Not(HasSubstr("Text of mirror.")));
  EXPECT_THAT(page_of(red, out.path), HasSubstr("<td>Title of mirror</td><td>Text of mirror.</td>"));
  Json green = planted_audit("green");
  plant(green, out.path, "x", planted_finding("pairs", "evidence", "green"));
  plant(green, out.path, "x", planted_finding("honest", "lowers", "green"));
  EXPECT_THAT(before_tables(page_of(green, out.path)), Not(HasSubstr("Text of honest.")));
}

TEST(AuditPage, OfAmberListsWhatWasNotDecided) {
  TestFolder out;
  Json audit = planted_audit("amber");
  plant(audit, out.path, "x", planted_finding("mirror", "lowers", "cannot_tell"));
  plant(audit, out.path, "x", planted_finding("pairs", "evidence", "cannot_tell"));
  const std::string html = page_of(audit, out.path), first = before_tables(html);
  EXPECT_THAT(html.substr(0, html.find("<h2 id=\"findings\">")),
              HasSubstr("<td>Title of mirror</td><td>Text of mirror.</td>"));
  EXPECT_THAT(first, Not(HasSubstr(caption_of("mirror")))) << "there can be dozens of them";
  EXPECT_THAT(first, HasSubstr(caption_of("pairs")));
}

TEST(AuditPage, OfAmberWithoutFindingsSaysWhatIsMissing) {
  TestFolder out;
  const std::string html = page_of(planted_audit("amber"), out.path);
  EXPECT_THAT(before_tables(html), HasSubstr("No finding speaks against these translations."));
}

TEST(AuditPage, OfAmberSaysWhatAgreementLeavesOpen) {
  TestFolder out;
  Json audit = planted_audit("amber");
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("Even 3 runs that agree leave open that up to 78 %"));
  const Json run = audit["runs"][0];
  audit["runs"] = {run, run, run};
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("all 3 runs of this audit agree, that still leaves open "
                                                  "that up to 78 %"));
  audit["runs"] = {run, run, run, run, run};
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("up to 53 %"));
  audit["verdict"] = "red";
  EXPECT_THAT(page_of(audit, out.path), Not(HasSubstr("53 %")));
}

TEST(AuditPage, AgreementOfRunsLeavesTheseSharesOpen) {
  EXPECT_EQ(share_left_open(1), 1);
  EXPECT_NEAR(share_left_open(2), 0.95, 1e-12);
  EXPECT_NEAR(share_left_open(3), 0.776393, 1e-6);
  // With this share of other answers, all later runs repeat the first one in one of twenty audits.
  for (const int runs : {2, 3, 4, 7})
    EXPECT_NEAR(std::pow(1 - share_left_open(runs), runs - 1), 0.05, 1e-12) << runs;
}

TEST(AuditPage, HasAllFindingsWithIntervalsAndLines) {
  TestFolder out;
  Json audit = planted_audit("red");
  plant(audit, out.path, "x", planted_finding("noted", "note", "amber"));
  plant(audit, out.path, "x", planted_finding("differ", "lowers", "red"));
  Json bare = planted_finding("bare", "lowers", "cannot_tell");
  bare["value"] = bare["interval"] = bare["threshold"] = nullptr;
  plant(audit, out.path, "x", bare);
  const std::string html = page_of(audit, out.path);
  EXPECT_THAT(html,
              HasSubstr("<td>Title of differ</td><td>red</td><td class=\"whole\">0.31 (0.28 to 0.35)</td><td "
                        "class=\"number\">0.1</td>"));
  EXPECT_THAT(html, HasSubstr("<td>Title of noted</td><td>note</td>"));
  EXPECT_THAT(html, HasSubstr("<td>Title of bare</td><td>cannot tell</td><td></td><td "
                              "class=\"number\"></td>"));
  EXPECT_GT(html.find("<td>Title of noted"), html.find("<td>Title of bare")) << "notes come last";
}

TEST(AuditPage, ShowsCurvesTablesRivalsLimitsAndWhatIsMissing) {
  TestFolder out;
  Json audit = planted_audit("amber");
  audit["parts"]["noise"] = {
      {"title", "Noise and rounding"},
      {"curves",
       {{{"title", "Error against noise"},
         {"x", "noise"},
         {"y", "error"},
         {"series", {{{"name", "this run"}, {"x", {0, 1, 2}}, {"y", {0.1, nullptr, 0.3}}}}}}}},
      {"tables",
       {{{"caption", "Counts"},
         {"header", {"what", "n"}},
         {"rows", Json::array({Json::array({"images", 120}), Json::array({"share", 0.5})})}}}}};
  audit["not_measured"]["null_task"] = "no time was given";
  audit["rivals"] = {{{"id", "hflip-a"},
                      {"kind", "symmetry"},
                      {"domain", "a"},
                      {"name", "hflip"},
                      {"text", "mirrored left to right"},
                      {"automorphism", "shown"},
                      {"displacement", {{"value", 0.8}, {"interval", {0.7, 0.9}}}},
                      {"loss_change", 0.01234}}};
  audit["detection_limit"] = {
      {"limits",
       {{{"kind", "blot"}, {"test", "pairs"}, {"smallest", 6}, {"unit", "pixels"}},
        {{"kind", "shift"}, {"test", "pairs"}, {"smallest", nullptr}, {"unit", "pixels"}}}}};
  const std::string html = page_of(audit, out.path);
  EXPECT_THAT(html, HasSubstr("<h3>Noise and rounding</h3>"));
  EXPECT_THAT(html, HasSubstr("Error against noise"));
  EXPECT_THAT(html, HasSubstr("<td>images</td><td class=\"number\">120</td>"));
  EXPECT_THAT(html, HasSubstr("<li>null_task: no time was given</li>"));
  EXPECT_THAT(html, HasSubstr("<td>mirrored left to right</td><td>a</td><td>yes, shown</td><td "
                              "class=\"whole\">0.8 (0.7 to 0.9)</td><td class=\"number\">0.01234</td>"));
  EXPECT_THAT(html, HasSubstr("<td>6 pixels</td>"));
  EXPECT_THAT(html, HasSubstr("<td>none of the sizes tried</td>"));
  audit["parts"]["detection"] = audit["detection_limit"];
  audit["parts"]["detection"]["tables"] = {
      {{"caption", "The part's own"}, {"header", {"x"}}, {"rows", Json::array()}}};
  audit["detection_limit"] = audit["parts"]["detection"];
  EXPECT_EQ(times(page_of(audit, out.path), "The part&#39;s own"), 1u);
  EXPECT_THAT(page_of(audit, out.path), Not(HasSubstr("<td>6 pixels</td>")));
  audit["detection_limit"] = {{"limits", Json::array()}, {"no_limits", "3 groups of images"}};
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("This was not measured (3 groups of images), so nothing"));
  audit["detection_limit"] = nullptr;
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("nothing says how small a fault"));
}

TEST(AuditPage, TellsNoRivalsFromNoneLookedFor) {
  TestFolder out;
  Json audit = planted_audit("amber");
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("None was looked for."));
  audit["parts"]["search"] = Json::object();
  EXPECT_THAT(page_of(audit, out.path), HasSubstr("None was found."));
}

TEST(AuditPage, GivesRemediesWithTheirCommands) {
  TestFolder out;
  Json audit = planted_audit("amber");
  EXPECT_THAT(page_of(audit, out.path), Not(HasSubstr("id=\"advice\"")));
  audit["advice"] = {
      {{"title", "Pairs"}, {"text", "They decide."}, {"command", "torsor audit x --pairs-a DIR"}},
      {{"title", "Wait"}, {"text", "No command."}, {"command", ""}}};
  const std::string html = page_of(audit, out.path);
  EXPECT_THAT(html, HasSubstr("<pre>torsor audit x --pairs-a DIR</pre>"));
  EXPECT_THAT(html, HasSubstr("<a href=\"#advice\">"));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"advice\">"));
  EXPECT_EQ(times(html, "class=\"command\""), 2u) << "that of the audit itself is the other";
}

TEST(AuditPage, NamesAPictureThatIsGone) {
  TestFolder out;
  Json audit = planted_audit("red");
  plant(audit, out.path, "x", planted_finding("differ", "lowers", "red"));
  fs::remove(out / "figures/differ.png");
  EXPECT_THAT(error_of([&] { page_of(audit, out.path); }), HasSubstr("figures/differ.png: this picture"));
  write_file_atomically(out / "figures/differ.png", "no picture");
  EXPECT_THAT(error_of([&] { page_of(audit, out.path); }), HasSubstr("figures/differ.png"));
}

}  // namespace
}  // namespace torsor
