#include "report/slides.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "report/html.h"
#include "report/page_scripts.h"

namespace torsor {

namespace {

constexpr std::int64_t kSmall = 256;               // pictures below are shown enlarged, with hard pixel edges
constexpr std::int64_t kLeast = 440, kMost = 640;  // width of slides, so that most of one fits a screen

std::string picture_html(const Embedded& p, const std::string& alt, const std::string& attributes = "") {
  return fmt::format("<img{} width=\"{}\" height=\"{}\" alt=\"{}\" src=\"{}\">", attributes, p.width,
                     p.height, escape_html(alt), p.uri);
}

std::string labelled(const Embedded& p, const std::string& name, const std::string& image_class) {
  return fmt::format("<div><p>{}</p>{}</div>", escape_html(name), picture_html(p, name, image_class));
}

}  // namespace

std::string slides_html(const std::vector<Slide>& slides, const std::string& caption) {
  if (slides.empty()) fail("a row of slides needs at least one picture");
  std::int64_t width = 0;
  std::string pictures;
  for (std::size_t i = 0; i < slides.size(); ++i) {
    width = std::max(width, slides[i].picture.width);
    pictures += picture_html(slides[i].picture, slides[i].label, i + 1 < slides.size() ? " hidden" : "");
  }
  return fmt::format(
      "<figure class=\"slides\" style=\"max-width:{}px\"><div class=\"controls player\"><button "
      "type=\"button\">Play</button><input type=\"range\" min=\"0\" max=\"{}\" value=\"{}\" "
      "aria-label=\"time\"><output>{}</output></div><div class=\"frames\">{}</div><figcaption>{}</figcaption>"
      "<script>{});</script></figure>\n",
      std::clamp(width, kLeast, kMost), slides.size() - 1, slides.size() - 1,
      escape_html(slides.back().label), pictures, escape_html(caption), kSlidesScript);
}

std::string comparisons_html(const std::vector<Comparison>& comparisons, const ComparisonNames& names,
                             const std::string& caption) {
  if (comparisons.empty()) fail("a comparison needs at least one pair of pictures");
  const Comparison& first = comparisons.front();
  const bool small = std::max(first.before.width, first.before.height) < kSmall;
  const std::string image_class = small ? " class=\"small\"" : "";
  Json data = Json::array();
  for (const Comparison& c : comparisons)
    data.push_back({{"label", c.label},
                    {"before", c.before.uri},
                    {"after", c.after.uri},
                    {"difference", c.difference.uri}});
  const std::string still = labelled(first.before, names.before, image_class) +
                            labelled(first.after, names.after, image_class) +
                            labelled(first.difference, names.difference, image_class);
  const std::string size =
      fmt::format(" width=\"{}\" height=\"{}\"", first.before.width, first.before.height);
  const auto empty = [&](const char* what, const std::string& alt) {
    return fmt::format("<img{} data-show=\"{}\"{} alt=\"{}\">", image_class, what, size, escape_html(alt));
  };
  return fmt::format(
      "<figure class=\"comparison\"><div class=\"still trio\">{}</div><div class=\"player\">"
      "<div class=\"trio\"><div><p><span>{}</span><span>{}</span></p><div class=\"over\">{}{}<i></i></div>"
      "<div class=\"controls\"><input type=\"range\" min=\"0\" max=\"100\" value=\"50\" aria-label=\"{}\">"
      "</div></div><div><p>{}</p>{}</div></div><div class=\"choice\"></div></div>"
      "<figcaption>{}</figcaption><script>{}{});</script></figure>\n",
      still, escape_html(names.before), escape_html(names.after), empty("after", names.after),
      empty("before", names.before), escape_html(names.before + " to the left, " + names.after),
      escape_html(names.difference), empty("difference", names.difference), escape_html(caption),
      kComparisonScript, script_json(data));
}

}  // namespace torsor
