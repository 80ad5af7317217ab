// An audit's JSON with planted findings, and the figures that it names.
#pragma once

#include <string>

#include "core/files.h"
#include "core/json.h"
#include "image/codec.h"

namespace torsor::testing {

/// A finding as AuditFinding::json() gives it, with the picture figures/<id>.png.
inline Json planted_finding(const std::string& id, const std::string& role, const std::string& verdict) {
  return {{"id", id},      {"title", "Title of " + id}, {"text", "Text of " + id + "."},
          {"role", role},  {"verdict", verdict},        {"files", {"figures/" + id + ".png"}},
          {"value", 0.31}, {"interval", {0.28, 0.35}},  {"threshold", 0.1}};
}

/// Without findings, parts and advice; one run.
inline Json planted_audit(const std::string& verdict) {
  const Json images = {
      {"folder", "photos/a"}, {"count", 120}, {"groups", 40}, {"digest", "00112233445566778899"}};
  Json of_b = images;
  of_b["folder"] = "photos/b";
  return {{"torsor", "1.2.3"},
          {"verdict", verdict},
          {"because", "Because of <what> was found."},
          {"needed", Json::array()},
          {"findings", Json::array()},
          {"rivals", Json::array()},
          {"detection_limit", nullptr},
          {"runs",
           {{{"name", "scans"},
             {"source", "runs/scans/model.safetensors"},
             {"hash", "aabbccddeeff00112233"},
             {"step", 2000},
             {"seed", 0},
             {"finished", true},
             {"type", "cyclegan"}}}},
          {"images", {{"a", images}, {"b", of_b}, {"pairs", nullptr}, {"labels", nullptr}}},
          {"options", {{"scale", "quick"}}},
          {"thresholds", {{"wrong_pairs", 0.1}}},
          {"extractor", {{"name", "random-vgg"}}},
          {"parts", Json::object()},
          {"not_measured", Json::object()},
          {"advice", Json::array()},
          {"warning", "The authors warn."}};
}

/// Adds the finding, and its figure to the part `part` and to the folder.
inline void plant(Json& audit, const fs::path& out, const std::string& part, const Json& finding) {
  const std::string file = finding.at("files").at(0);
  make_folder(out / "figures");
  Image image = Image::blank(8, 8, 3);
  for (std::size_t i = 0; i < image.bytes.size(); ++i)
    image.bytes[i] = static_cast<std::uint8_t>(i * file.size() + file.at(8));
  write_image(out / file, image);
  audit["findings"].push_back(finding);
  audit["parts"][part]["figures"].push_back(
      {{"file", file}, {"caption", "Caption of " + file}, {"width", 8}, {"height", 8}});
}

}  // namespace torsor::testing
