// What lies in the folders and is no part of the data.
#include "doctor/finding.h"

namespace torsor {

Check check_of_left_out_files() {
  return {"files of formats that are not read, entries and folders that cannot be opened",
          [](const Survey& survey) {
            std::vector<ImageFinding> out;
            for (const std::string& line : survey.left_out) out.push_back({Level::warning, "", line});
            return out;
          }};
}

}  // namespace torsor
