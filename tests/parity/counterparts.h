// The models of the reference whose recorded trainings are compared, by the reference's names.
#pragma once

#include <memory>

#include "core/registry.h"
#include "core/text.h"
#include "parity/cut_counterpart.h"
#include "parity/cyclegan_counterpart.h"
#include "parity/pix2pix_counterpart.h"

namespace torsor::parity {

using MakeCounterpart = std::unique_ptr<Counterpart> (*)(const fs::path& folder);

template <class Of>
std::unique_ptr<Counterpart> make_counterpart_of(const fs::path& folder) {
  return std::make_unique<Of>(folder);
}

/// One line for each model.
inline const Registry<MakeCounterpart>& counterparts() {
  static const Registry<MakeCounterpart> table = [] {
    Registry<MakeCounterpart> r("recorded model");
    r.add("cycle_gan", make_counterpart_of<CycleGanCounterpart>);
    r.add("cut", make_counterpart_of<CutCounterpart>);
    r.add("pix2pix", make_counterpart_of<Pix2PixCounterpart>);
    return r;
  }();
  return table;
}

/// For the recorded training in `folder`. Throws Error naming options.json for options that cannot be
/// honoured, and for a model that is none of these.
inline std::unique_ptr<Counterpart> make_counterpart(const fs::path& folder) {
  const fs::path path = folder / "options.json";
  const Json options = read_json(path);
  if (!options.is_object()) fail("{}: is not a list of options", path.string());
  const Json model = options.value("model", Json(ReferenceOptions().model));
  const std::string name = model.is_string() ? model.get<std::string>() : model.dump();
  if (!counterparts().has(name))
    fail("{}: is of the model {}, which torsor is not compared with; a counterpart is missing (there are {})",
         path.string(), name, join(counterparts().names()));
  return counterparts().at(name)(folder);
}

}  // namespace torsor::parity
