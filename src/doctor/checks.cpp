#include "doctor/checks.h"

#include <algorithm>
#include <iterator>

namespace torsor {

// One line per check; each is defined in its file.
Check check_of_broken_files();
Check check_of_left_out_files();
Check check_of_equal_images();
Check check_of_near_duplicates();
Check check_of_constant_images();
Check check_of_small_images();
Check check_of_channels();
Check check_of_depth();
Check check_of_pairs();
Check check_of_numbers();
Check check_of_shapes();
Check check_of_empty_background();
Check check_of_alpha();
Check check_of_profiles();
Check check_of_domains();
Check check_of_notes();

const Registry<Check>& doctor_checks() {
  static const Registry<Check> table = [] {
    Registry<Check> r("check");
    r.add("broken_files", check_of_broken_files());
    r.add("left_out_files", check_of_left_out_files());
    r.add("exact_duplicates", check_of_equal_images());
    r.add("near_duplicates", check_of_near_duplicates());
    r.add("constant_images", check_of_constant_images());
    r.add("small_images", check_of_small_images());
    r.add("channels", check_of_channels());
    r.add("depth", check_of_depth());
    r.add("pairs", check_of_pairs());
    r.add("numbers", check_of_numbers());
    r.add("shapes", check_of_shapes());
    r.add("background", check_of_empty_background());
    r.add("alpha", check_of_alpha());
    r.add("profiles", check_of_profiles());
    r.add("domains", check_of_domains());
    r.add("notes", check_of_notes());
    return r;
  }();
  return table;
}

std::vector<ImageFinding> findings_of(const Survey& survey) {
  std::vector<ImageFinding> out;
  for (const std::string& name : doctor_checks().names())
    for (ImageFinding& finding : doctor_checks().at(name).find(survey)) {
      finding.id = name;
      out.push_back(std::move(finding));
    }
  std::stable_sort(out.begin(), out.end(), [](const ImageFinding& x, const ImageFinding& y) {
    return x.level == Level::warning && y.level == Level::info;
  });
  return out;
}

}  // namespace torsor
