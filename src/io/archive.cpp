#include "io/archive.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"
#include "io/raw_tensor.h"
#include "io/safetensors.h"

namespace torsor {

void Archive::put(const std::string& name, const at::Tensor& tensor) {
  tensors_.emplace_back(
      name,
      tensor.detach().to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true).contiguous());
}

void Archive::put(const std::string& name, Json value) { values_[name] = std::move(value); }

bool Archive::has_tensor(const std::string& name) const { return find_tensor(tensors_, name).defined(); }

at::Tensor Archive::tensor(const std::string& name) const {
  const at::Tensor found = find_tensor(tensors_, name);
  if (!found.defined())
    fail("{}: has no tensor '{}'; it was written by another version or setting", source_, name);
  return found;
}

const Json& Archive::value(const std::string& name) const {
  if (!has_value(name))
    fail("{}: has no entry '{}'; it was written by another version or setting", source_, name);
  return values_[name];
}

at::Tensor Archive::tensor_like(const std::string& name, const at::Tensor& wanted) const {
  const at::Tensor found = tensor(name);
  if (found.sizes() != wanted.sizes())
    refuse(name, fmt::format("its shape is {}, expected {}", shape_text(found.sizes().vec()),
                             shape_text(wanted.sizes().vec())));
  return found.to(wanted.options());
}

void Archive::take(const std::string& name, const std::function<void(const Json&)>& take) const {
  const Json& found = value(name);
  try {
    take(found);
  } catch (const Json::exception& error) {
    refuse(name, json_reason(error));
  } catch (const Error& error) {
    refuse(name, error.what());
  }
}

void Archive::refuse(const std::string& name, const std::string& what) const {
  fail("{}: entry '{}' is damaged: {}; use another copy or an older checkpoint", source_, printable(name),
       what);
}

TensorMap Archive::tensors_under(const std::string& prefix) const {
  TensorMap out;
  const std::string start = prefix + "/";
  for (const auto& [name, tensor] : tensors_)
    if (name.starts_with(start)) out.emplace_back(name.substr(start.size()), tensor);
  return out;
}

bool Archive::has_under(const std::string& prefix) const {
  const std::string start = prefix + "/";
  for (const auto& [name, tensor] : tensors_)
    if (name.starts_with(start)) return true;
  for (const auto& [name, value] : values_.items())
    if (name.starts_with(start)) return true;
  return false;
}

void Archive::write(const std::filesystem::path& path,
                    const std::map<std::string, std::string>& metadata) const {
  Safetensors file{tensors_, metadata};
  file.metadata[kStateKey] = values_.dump();
  write_safetensors(path, file);
}

Archive Archive::read(const std::filesystem::path& path) {
  Safetensors file = read_safetensors(path);
  const auto state = file.metadata.find(kStateKey);
  if (state == file.metadata.end())
    fail("{}: is a safetensors file but not a torsor checkpoint", path.string());
  Archive out;
  out.tensors_ = std::move(file.tensors);
  out.values_ = parse_json(state->second, path.string() + ": " + kStateKey);
  if (!out.values_.is_object())
    fail("{}: is damaged: its '{}' is not a JSON object", path.string(), kStateKey);
  file.metadata.erase(state);
  out.metadata_ = std::move(file.metadata);
  out.source_ = path.string();
  return out;
}

}  // namespace torsor
