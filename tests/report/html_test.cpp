#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "core/error.h"
#include "core/files.h"
#include "image/codec.h"
#include "report/embed.h"

namespace torsor {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string decode_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(digits.find(c));
    held += 6;
    if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 255);
  }
  return bytes;
}

/// The pictures embedded in a page, decoded.
std::vector<Image> pictures(const std::string& html) {
  const std::string mark = "src=\"data:image/png;base64,";
  std::vector<Image> found;
  for (std::size_t at = html.find(mark); at != std::string::npos; at = html.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size(), length = html.find('"', begin) - begin;
    EXPECT_EQ(length % 4, 0u) << "padded to groups of four";
    found.push_back(decode_image(decode_base64(html.substr(begin, length)), "embedded"));
  }
  return found;
}

Image speckled(std::int64_t width, std::int64_t height) {
  Image image = Image::blank(width, height, 3);
  for (std::size_t i = 0; i < image.bytes.size(); ++i)
    image.bytes[i] = static_cast<std::uint8_t>(i * i * 31 + i * 7);
  return image;
}

TEST(Html, EscapesEveryText) {
  const std::string evil = "<b>&\"'</b>", safe = "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;";
  HtmlPage page(evil, evil, evil);
  page.heading(evil);
  page.subheading(evil);
  page.paragraph(evil);
  page.list({evil});
  page.preformatted(evil);
  page.command(evil);
  page.table({{evil}, {{evil}}, evil});
  page.figure({speckled(2, 2), evil});
  page.image_rows({{evil, {speckled(2, 2)}}}, evil);
  page.callout(Callout::note, evil, evil);
  const std::string html = page.html();
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  std::size_t count = 0;
  for (std::size_t at = html.find(safe); at != std::string::npos; at = html.find(safe, at + 1)) ++count;
  // title twice, lead, details, 6 blocks, header + cell + caption, alt + caption, label + alt + caption of
  // the row, callout title + text
  EXPECT_EQ(count, 20u);
}

TEST(Html, EmbedsPicturesWhole) {
  HtmlPage page("pictures");
  // PNG sizes of every remainder by 3 must come back.
  std::vector<Image> images;
  for (std::int64_t side = 1; side <= 12; ++side) images.push_back(speckled(side, side + 1));
  page.figure({images.front(), ""});
  page.beside([&] {
    for (std::size_t i = 1; i < images.size(); ++i) page.figure({images[i], "picture"});
  });
  const std::vector<Image> found = pictures(page.html());
  ASSERT_EQ(found.size(), images.size());
  for (std::size_t i = 0; i < images.size(); ++i) EXPECT_EQ(found[i].bytes, images[i].bytes) << i;
}

TEST(Html, EnlargesSmallPicturesOnly) {
  HtmlPage page("sizes");
  page.figure({speckled(50, 40), "small"});
  page.figure({speckled(300, 150), "large"});
  page.figure({speckled(1000, 10), "wide"});
  EXPECT_THAT(page.html(), HasSubstr("<img class=\"small\" width=\"300\" height=\"240\""));
  EXPECT_THAT(page.html(), HasSubstr("<img width=\"300\" height=\"150\""));
  EXPECT_THAT(page.html(), HasSubstr("class=\"wide\"><img width=\"1000\" height=\"10\""));
}

TEST(Html, RowsOfImagesAreLabelledAndEnlargedByAWholeFactor) {
  HtmlPage page("rows");
  const std::vector<Image> inputs = {speckled(32, 32), speckled(32, 32)}, outputs = {speckled(32, 32)};
  page.image_rows({{"input", inputs}, {"translation", outputs}}, "circles");
  const std::string html = page.html();
  EXPECT_THAT(html,
              HasSubstr("<figure class=\"rows\" style=\"--cell:96px\">\n<figcaption>circles</figcaption>"));
  EXPECT_THAT(html,
              HasSubstr("<div><p>input</p><div class=\"row\"><img class=\"small\" width=\"32\" height=\"32\" "
                        "alt=\"input 1\""));
  EXPECT_THAT(html, HasSubstr("alt=\"input 2\""));
  EXPECT_THAT(html, HasSubstr("alt=\"translation 1\""));
  ASSERT_EQ(pictures(html).size(), 3u);
  EXPECT_EQ(pictures(html)[0].bytes, inputs[0].bytes);
  HtmlPage large("rows");
  large.image_rows({{"input", {speckled(50, 40)}}}, "");
  EXPECT_THAT(large.html(), HasSubstr("--cell:100px"));
  EXPECT_THROW(page.image_rows({}, ""), Error);
  EXPECT_THROW(page.image_rows({{"input", {}}}, ""), Error);
}

TEST(Html, OneScriptGivesAllCommandsTheirButtons) {
  HtmlPage page("commands");
  page.preformatted("{}");
  EXPECT_THAT(page.html(), Not(HasSubstr("<script")));
  page.command("torsor train --lr 0.1");
  page.command("torsor train --lr 0.2");
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("<div class=\"command\"><pre>torsor train --lr 0.1</pre></div>"));
  EXPECT_EQ(html.find("<script>"), html.rfind("<script>"));
  EXPECT_GT(html.find("<script>"), html.find("--lr 0.2"));
}

TEST(Html, SetsNumberColumnsFlushRight) {
  HtmlPage page("tables");
  page.table({{"run", "FID", "note", "hue"},
              {{"r1", "12.5", "3", "5°"}, {"r2", "-7e-3", "x", "84°"}, {"r3", "", "95 %", ""}},
              "Runs"});
  const std::string html = page.html();
  EXPECT_THAT(
      html,
      HasSubstr(
          "<tr><th>run</th><th class=\"number\">FID</th><th>note</th><th class=\"number\">hue</th></tr>"));
  EXPECT_THAT(
      html,
      HasSubstr("<tr><td>r1</td><td class=\"number\">12.5</td><td>3</td><td class=\"number\">5°</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<figcaption>Runs</figcaption>"));
}

TEST(Html, KeepsIntervalsInOneLine) {
  HtmlPage page("tables");
  page.table({{"what"}, {{"-0.31 (-0.4 to 1e-05)"}, {"in (1 to 2)"}}, ""});
  EXPECT_THAT(page.html(), HasSubstr("<td class=\"whole\">-0.31 (-0.4 to 1e-05)</td>"));
  EXPECT_THAT(page.html(), HasSubstr("<td>in (1 to 2)</td>"));
}

TEST(Html, TablesOfSentencesBecomeListsOnAPhone) {
  HtmlPage page("tables");
  const std::string sentence = "a sentence that would be one word wide if it stood in a column of a phone";
  page.table({{"", "Here", "Why"}, {{"norm", "batch", sentence}}, ""});
  EXPECT_THAT(page.html(), HasSubstr("<table class=\"prose\">"));
  EXPECT_THAT(page.html(), HasSubstr("<tr><td>norm</td><td data-label=\"Here\">batch</td><td class=\"long\" "
                                     "data-label=\"Why\">" +
                                     sentence + "</td></tr>"));
  HtmlPage numbers("tables");
  numbers.table({{"what", "n"}, {{sentence, "3"}}, ""});
  EXPECT_THAT(numbers.html(), Not(HasSubstr("prose\"")));
}

TEST(Html, BeginsWithTheSentenceForStrangers) {
  const std::string html = HtmlPage("Title", "What is asked here.", "yesterday").html();
  EXPECT_THAT(html, HasSubstr("<h1>Title</h1><p class=\"lead\">What is asked here.</p><p "
                              "class=\"details\">yesterday</p></header>"));
}

TEST(Html, NamesTheRowThatDoesNotFit) {
  HtmlPage page("tables");
  try {
    page.table({{"a", "b"}, {{"1", "2"}, {"1"}}, "Runs"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("row 2 of the table 'Runs' has 1 cells"));
  }
}

TEST(Html, CalloutsReadWithoutColour) {
  HtmlPage page("verdicts");
  page.callout(Callout::pass, "Cycle", "fine");
  page.callout(Callout::fail, "Hue", "rotated");
  EXPECT_THAT(page.html(),
              HasSubstr("<aside class=\"pass\"><strong><span>pass</span>Cycle</strong><p>fine</p>"));
  EXPECT_THAT(page.html(), HasSubstr("<aside class=\"fail\"><strong><span>fail</span>Hue</strong>"));
}

TEST(Html, BannersReadWithoutColour) {
  HtmlPage page("verdicts");
  page.banner({Tone::bad, "Red", "Do not <use>", "Runs & seeds"});
  page.banner({Tone::good, "Green", "Use", ""});
  const std::string html = page.html();
  EXPECT_THAT(html,
              HasSubstr("<section class=\"verdict bad\" aria-label=\"Verdict: Red\"><p class=\"word\">"));
  EXPECT_THAT(html, HasSubstr("</span>Red</p><h2>Do not &lt;use&gt;</h2><p>Runs &amp; seeds</p></section>"));
  EXPECT_THAT(html, HasSubstr("<section class=\"verdict good\" aria-label=\"Verdict: Green\">"));
}

TEST(Html, JumpsLeadToHeadings) {
  HtmlPage page("long");
  page.jumps({{"What & why", "why"}});
  page.heading("Why", "why");
  page.heading("Other");
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("<a href=\"#why\">What &amp; why</a>"));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"why\">Why</h2>\n<h2>Other</h2>"));
}

TEST(Html, ShowsEncodedPicturesAsTheyAre) {
  HtmlPage page("pictures");
  const Image image = speckled(8, 6);
  page.figure(Embedded{"data:image/png;base64,AAAA", image.width, image.height}, "the picture");
  EXPECT_THAT(page.html(), HasSubstr("width=\"256\" height=\"192\" alt=\"the picture\" "
                                     "src=\"data:image/png;base64,AAAA\""));
  EXPECT_THAT(page.html(), Not(HasSubstr("class=\"sheet\"")));
  page.figure(Embedded{"data:image/png;base64,AAAA", 800, 400}, "a grid");
  EXPECT_THAT(page.html(), HasSubstr("<div class=\"sheet\" tabindex=\"0\" style=\"--narrow:576px\">"));
}

TEST(Html, LoadsNothingFromElsewhere) {
  HtmlPage page("alone", "one file");
  page.figure({speckled(4, 4), "picture"});
  const std::string html = page.html();
  for (const char* outside : {"http:", "https:", "//", "<script", "<link", "@import", "url("}) {
    // Base64 may hold any of its own digits, "//" among them.
    const std::string visible = std::regex_replace(html, std::regex("base64,[^\"]*"), "");
    EXPECT_THAT(visible, Not(HasSubstr(outside)));
  }
}

TEST(Html, OpensAndClosesEveryElement) {
  HtmlPage page("elements", "all");
  page.heading("h");
  page.list({"one", "two"});
  page.table({{"a"}, {{"1"}}, ""});
  page.beside([&] {
    page.figure({speckled(3, 3), "x"});
    page.figure({speckled(3, 3), ""});
  });
  page.image_rows({{"x", {speckled(3, 3)}}}, "rows");
  page.command("c");
  page.callout(Callout::note, "t", "p");
  page.banner({Tone::unknown, "w", "h", "t"});
  page.jumps({{"h", "h"}});
  const std::string html = page.html();
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z0-9]+)[^>]*>");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator(); ++it) {
    const std::string name = (*it)[2];
    if (name == "img" || name == "meta") continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    EXPECT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(Html, SavesThePage) {
  const fs::path path = fs::path(testing::TempDir()) / "torsor_report_page.html";
  HtmlPage page("saved");
  page.paragraph("Grüße");
  page.save(path);
  EXPECT_EQ(read_file(path), page.html());
  EXPECT_THAT(page.html(), HasSubstr("Grüße"));
  fs::remove(path);
  EXPECT_THROW(page.save(path / "missing" / "page.html"), Error);
}

}  // namespace
}  // namespace torsor
