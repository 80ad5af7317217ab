#include "core/files.h"
#include "core/text.h"
#include "experiment/reproduction.h"
#include "image/codec.h"

namespace torsor {

namespace {

void show_setup(const Json& setup, HtmlPage& page) {
  Table table{{"", "Here", "From"}, {}, ""};
  for (const Json& s : setup) {
    const std::string why = s.at("why");
    table.rows.push_back(
        {s.at("what"), s.at("value"), why.empty() ? "the paper" : "open in the paper, our choice: " + why});
  }
  page.table(table);
}

Callout callout_for(const std::string& verdict) {
  if (verdict == verdict_name(Verdict::agrees)) return Callout::agrees;
  return verdict == verdict_name(Verdict::disagrees) ? Callout::disagrees : Callout::note;
}

// "before. agrees: a. disagrees: b. cannot tell: c." in its parts.
std::vector<std::string> rule_parts(const std::string& rule) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (const Verdict verdict : {Verdict::agrees, Verdict::disagrees, Verdict::cannot_tell}) {
    const std::size_t at = rule.find(verdict_name(verdict) + ":", start);
    if (at == std::string::npos) break;
    if (at > start) parts.push_back(rule.substr(start, at - start));
    start = at;
  }
  parts.push_back(rule.substr(start));
  return parts;
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string details(const Json& record) {
  const std::size_t seeds = record.at("seeds").size();
  std::string text = fmt::format("{}, scale {}", record.at("finished").get<std::string>(),
                                 record.at("scale").get<std::string>());
  if (record.at("command").get<std::string>().find("--seeds") != std::string::npos)
    text += fmt::format(", {} seed{}", seeds, seeds == 1 ? "" : "s");
  if (record.contains("seconds")) text += ", " + human_duration(record["seconds"].get<double>());
  return text;
}

// What the numbers of a smoke run would say is said in the same words, but after what they are worth.
void show_smoke_verdict(const ExperimentInfo& info, const Json& record, HtmlPage& page) {
  const Json& numbers = record.at("by_the_rule");
  page.callout(
      Callout::note, "This run is too short to tell",
      fmt::format("A smoke run takes seconds and shows that everything works; its tables and figures look "
                  "like a result and are none. By the rule alone its few numbers would say \"{}\": {}. To "
                  "judge the claim: torsor reproduce {} ({}).",
                  numbers.at("verdict").get<std::string>(), numbers.at("because").get<std::string>(), info.id,
                  info.takes[static_cast<std::size_t>(Scale::quick)]));
}

void show_verdict(const ExperimentInfo& info, const Json& record, HtmlPage& page) {
  if (record.at("scale") == scale_name(Scale::smoke)) return show_smoke_verdict(info, record, page);
  const std::string verdict = record.at("verdict");
  const Callout kind = callout_for(verdict);
  page.callout(kind,
               kind == Callout::note ? "This run cannot tell" : "This run " + verdict + " with the claim",
               capitalised(record.at("because")) + ".");
}

}  // namespace

void ReproductionPage::image(const std::string& name, const Image& image, const std::string& caption) {
  make_folder(figures_);
  write_image(figures_ / (name + ".png"), image);
  html_.figure({image, caption});
}

void ReproductionPage::drawing(const std::string& name, const Drawing& drawing, const std::string& caption) {
  make_folder(figures_);
  write_file_atomically(figures_ / (name + ".svg"), drawing.sheet.svg);
  write_image(figures_ / (name + ".png"), drawing.image);
  html_.drawing(drawing, caption);
}

void ReproductionPage::picture(const std::string& name, const std::string& caption) {
  html_.figure({read_image(figures_ / (name + ".png")), caption});
}

HtmlPage reproduction_page(const Experiment& experiment, const Json& record, const fs::path& figures) {
  const ExperimentInfo& info = experiment.info();
  HtmlPage html(info.id + ": " + info.title, info.plain, details(record));
  ReproductionPage page(html, figures);
  show_verdict(info, record, html);
  html.heading("The claim");
  html.paragraph(info.claim);
  html.paragraph("The rule, stated before anything was measured:");
  html.list(rule_parts(info.rule));
  html.heading("What was measured");
  experiment.present(record.at("results"), page);
  html.heading("Set-up");
  show_setup(record.at("setup"), html);
  html.paragraph(
      "To run it again (its numbers are in results.json beside this page, its figures in figures/):");
  html.command(record.at("command"));
  return html;
}

}  // namespace torsor
