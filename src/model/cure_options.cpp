#include "model/cure_options.h"

#include "core/error.h"
#include "model/classifier_file.h"

namespace torsor {

namespace {

constexpr double kDefaultLambdaAnchor = 10;  // as that of the cycles, which compare images likewise

// `flags` of two options that name the same thing of A and of B.
void require_both(const std::string& a, const std::string& b, const char* flag_a, const char* flag_b) {
  if (a.empty() != b.empty())
    fail_usage("{} and {} go together; {} is missing", flag_a, flag_b, a.empty() ? flag_a : flag_b);
}

constexpr double kDefaultLambdaContent = 1;

}  // namespace

void CureOptions::describe(OptionSet& o) {
  o.group("Against ambiguity");
  o.add("anchors_a", anchors_a,
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
        "file of a classifier that torsor trained: what its last layer sees of an image has to be what it sees "
        "of the translation")
      .changeable();
  o.add("content_hash", content_hash, "").hidden();
  o.add("lambda_content", lambda_content,
        "weight of that difference, in both directions [1 with --content-encoder]")
      .at_least(0)
      .changeable();
  o.add("lambda_jacobian", lambda_jacobian,
        "weight of the share of a translation that answers to a change of one small block of the input, in both "
        "directions, from 0 to 1: what a local translation keeps small; 0 = off")
      .at_least(0)
      .changeable();
}

void CureOptions::read_files() {
  content_hash = content_encoder.empty() ? "" : load_classifier(content_encoder).hash();
}

void CureOptions::validate() const {
  require_both(anchors_a, anchors_b, "--anchors-a", "--anchors-b");
  if (lambda_anchor.value_or(0) > 0 && !has_anchors())
    fail_usage("--lambda-anchor weighs anchors, and there are none; give --anchors-a and --anchors-b");
  if (lambda_content.value_or(0) > 0 && content_encoder.empty())
    fail_usage("--lambda-content weighs what an encoder sees, and there is none; give --content-encoder");
  if (content_encoder.empty() != content_hash.empty())
    fail_usage("--content-encoder: a continued run keeps the encoder that it began with, or none; begin a new "
               "run from these weights with --init-from");
}

double CureOptions::anchor_weight() const {
  return has_anchors() ? lambda_anchor.value_or(kDefaultLambdaAnchor) : 0;
}

double CureOptions::content_weight() const {
  return content_encoder.empty() ? 0 : lambda_content.value_or(kDefaultLambdaContent);
}

SideData CureOptions::side_data() const {
  SideData out;
  out.anchors_a = anchors_a;
  out.anchors_b = anchors_b;
  return out;
}

}  // namespace torsor
