#include "io/archive.h"

#include <ATen/ATen.h>

#include "core/error.h"
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

TensorMap Archive::tensors_under(const std::string& prefix) const {
  TensorMap out;
  const std::string start = prefix + "/";
  for (const auto& [name, tensor] : tensors_)
    if (name.starts_with(start)) out.emplace_back(name.substr(start.size()), tensor);
  return out;
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
  out.values_ = parse_json(state->second, path.string());
  file.metadata.erase(state);
  out.metadata_ = std::move(file.metadata);
  out.source_ = path.string();
  return out;
}

}  // namespace torsor
