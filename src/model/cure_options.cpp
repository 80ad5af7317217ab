#include "model/cure_options.h"

#include "core/error.h"

namespace torsor {

namespace {

constexpr double kDefaultLambdaAnchor = 10;  // as that of the cycles, which compare images likewise

// `flags` of two options that name the same thing of A and of B.
void require_both(const std::string& a, const std::string& b, const char* flag_a, const char* flag_b) {
  if (a.empty() != b.empty())
    fail_usage("{} and {} go together; {} is missing", flag_a, flag_b, a.empty() ? flag_a : flag_b);
}

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
}

void CureOptions::validate() const {
  require_both(anchors_a, anchors_b, "--anchors-a", "--anchors-b");
  if (lambda_anchor.value_or(0) > 0 && !has_anchors())
    fail_usage("--lambda-anchor weighs anchors, and there are none; give --anchors-a and --anchors-b");
}

double CureOptions::anchor_weight() const {
  return has_anchors() ? lambda_anchor.value_or(kDefaultLambdaAnchor) : 0;
}

SideData CureOptions::side_data() const {
  SideData out;
  out.anchors_a = anchors_a;
  out.anchors_b = anchors_b;
  return out;
}

}  // namespace torsor
