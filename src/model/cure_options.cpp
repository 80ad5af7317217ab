#include "model/cure_options.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "data/label_table.h"
#include "model/classifier_file.h"

namespace torsor {

namespace {

constexpr double kDefaultLambdaAnchor = 10;  // as that of the cycles, which compare images likewise
constexpr double kDefaultLambdaContent = 1;
constexpr std::size_t kMostClasses = 256;  // a plane of an image's size each

// Of two options that name the same thing of A and of B.
void require_both(const std::string& a, const std::string& b, const char* flag_a, const char* flag_b) {
  if (a.empty() != b.empty())
    fail_usage("{} and {} go together; {} is missing", flag_a, flag_b, a.empty() ? flag_a : flag_b);
}

void require_in_other(const LabelTable& table, const std::vector<std::string>& others,
                      const std::string& other) {
  for (const LabelTable::Row& row : table.rows())
    if (!std::binary_search(others.begin(), others.end(), row.label))
      fail("{}:{}: the class '{}' is not among those of {} ({}); both domains need the same classes",
           table.source(), row.line, printable(row.label), other, printable(join(others)));
}

// The classes of two tables, which have to be the same.
std::vector<std::string> common_classes(const std::string& labels_a, const std::string& labels_b) {
  const LabelTable a(labels_a), b(labels_b);
  const std::vector<std::string> classes = a.classes();
  require_in_other(a, b.classes(), b.source());
  require_in_other(b, classes, a.source());
  if (classes.size() < 2 || classes.size() > kMostClasses)
    fail("{}: {} class{}, expected 2 to {}", a.source(), classes.size(), classes.size() == 1 ? "" : "es",
         kMostClasses);
  return classes;
}

}  // namespace

void CureOptions::describe(OptionSet& o) {
  o.group("Against ambiguity");
  o.add(
       "anchors_a", anchors_a,
       "folder of images of A whose right translations are known: at most 50, their partners in --anchors-b, "
       "by name")
      .changeable();
  o.add("anchors_b", anchors_b, "folder of their partners in B").changeable();
  o.add("lambda_anchor", lambda_anchor,
        "weight of the distance of an anchor's translation from its partner, in both directions [10 with "
        "--anchors-a]")
      .at_least(0)
      .changeable();
  o.add("content_encoder", content_encoder,
        "file of a classifier that torsor trained: what its last layer sees of an image has to be what it "
        "sees of the translation")
      .changeable();
  o.add("content_hash", content_hash, "").hidden();
  o.add("lambda_content", lambda_content,
        "weight of that difference, in both directions [1 with --content-encoder]")
      .at_least(0)
      .changeable();
  o.add("lambda_jacobian", lambda_jacobian,
        "weight of the share of a translation that answers to a change of one small block of the input, in "
        "both directions, from 0 to 1: what a local translation keeps small; 0 = off")
      .at_least(0)
      .changeable();
  o.add("labels_a", labels_a,
        "table (CSV: name,label) of the class of each training image of A; with --labels-b: the "
        "discriminators see the class of an image, and of what a translation was made of, so that the "
        "domains are matched class by class")
      .changeable();
  o.add("labels_b", labels_b, "the same of B; both have the same classes").changeable();
  o.add("label_classes", label_classes, "").hidden();
}

void CureOptions::read_files() {
  label_classes = has_labels() && !labels_b.empty() ? Json(common_classes(labels_a, labels_b)).dump() : "";
  content_hash = content_encoder.empty() ? "" : load_classifier(content_encoder).hash();
}

void CureOptions::validate() const {
  require_both(anchors_a, anchors_b, "--anchors-a", "--anchors-b");
  if (lambda_anchor.value_or(0) > 0 && !has_anchors())
    fail_usage("--lambda-anchor weighs anchors, and there are none; give --anchors-a and --anchors-b");
  if (lambda_content.value_or(0) > 0 && content_encoder.empty())
    fail_usage("--lambda-content weighs what an encoder sees, and there is none; give --content-encoder");
  require_both(labels_a, labels_b, "--labels-a", "--labels-b");
  if (labels_a.empty() != label_classes.empty())
    fail_usage(
        "--labels-a: the discriminators of a continued run see classes if they did from the beginning, "
        "and not otherwise; begin a new run from these weights with --init-from");
  if (content_encoder.empty() != content_hash.empty())
    fail_usage(
        "--content-encoder: a continued run keeps the encoder that it began with, or none; begin a new "
        "run from these weights with --init-from");
}

double CureOptions::anchor_weight() const {
  return has_anchors() ? lambda_anchor.value_or(kDefaultLambdaAnchor) : 0;
}

double CureOptions::content_weight() const {
  return content_encoder.empty() ? 0 : lambda_content.value_or(kDefaultLambdaContent);
}

std::vector<std::string> CureOptions::classes() const {
  if (label_classes.empty()) return {};
  try {
    return parse_json(label_classes, "label_classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
  } catch (const Error&) {
  }
  fail_usage("label_classes: '{}' is no list of classes", printable(label_classes));
}

SideData CureOptions::side_data() const {
  SideData out;
  out.anchors_a = anchors_a;
  out.anchors_b = anchors_b;
  out.labels_a = labels_a;
  out.labels_b = labels_b;
  out.classes = classes();
  return out;
}

}  // namespace torsor
