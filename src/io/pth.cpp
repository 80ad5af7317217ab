#include "io/pth.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "io/describe.h"
#include "io/pickle.h"
#include "io/raw_tensor.h"
#include "io/state_dict.h"
#include "io/zip.h"

namespace torsor {

namespace {

static_assert(std::endian::native == std::endian::little, "weight files are read without swapping bytes");

using Kind = PickleValue::Kind;

constexpr std::string_view kZipStart = "PK\x03\x04";
// A pickle (protocol 2) of torch's magic number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyStart = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
// The same in protocol 1.
constexpr std::string_view kOldestStart = "L119547037146038801333356L\n.";
constexpr std::int64_t kLegacyVersion = 1001;

// Views may repeat elements (expand), so a file may honestly hold more than its size; this stops absurd
// claims.
std::uint64_t tensor_limit(std::size_t file_size) {
  return (std::uint64_t{64} << 20) + 8 * std::uint64_t{file_size};
}

std::uint64_t storage_bytes(const StorageId& id) {
  return static_cast<std::uint64_t>(id.count) * c10::elementSize(id.dtype);
}

// --- the zip container: <stem>/data.pkl, <stem>/data/<key>
// ---------------------------------------------------

class ZipStorages : public StorageSource {
 public:
  ZipStorages(const ZipArchive& archive, std::string stem, const std::string& source)
      : archive_(archive), stem_(std::move(stem)), source_(source) {}

  at::Tensor load(const StorageId& id) override {
    const ZipArchive::Entry* entry = archive_.find(stem_ + "data/" + id.key);
    if (entry == nullptr) fail("{}: is damaged: its storage '{}' is missing", source_, printable(id.key));
    if (entry->size != storage_bytes(id))
      fail("{}: is damaged: its storage '{}' has {} bytes, expected {}", source_, printable(id.key),
           entry->size, storage_bytes(id));
    at::Tensor out = allocate_tensor({id.count}, id.dtype, source_);
    archive_.read(*entry, out.data_ptr());
    settle_bools(out);
    return out;
  }

 private:
  const ZipArchive& archive_;
  std::string stem_;
  const std::string& source_;
};

bool is_torchscript(const ZipArchive& archive) {
  return std::any_of(archive.entries().begin(), archive.entries().end(),
                     [](const auto& entry) { return entry.name.ends_with("/constants.pkl"); });
}

bool is_numpy(const ZipArchive& archive) {
  const auto& entries = archive.entries();
  return !entries.empty() && std::all_of(entries.begin(), entries.end(),
                                         [](const auto& entry) { return entry.name.ends_with(".npy"); });
}

// The folder inside the archive, with its slash.
std::string find_stem(const ZipArchive& archive, const std::string& source) {
  if (is_torchscript(archive))
    fail(
        "{}: is a TorchScript program, expected a state dict (in Python: torch.save(net.state_dict(), path))",
        source);
  if (is_numpy(archive)) fail("{}: is not a PyTorch weight file (it is a NumPy archive, .npz)", source);
  constexpr std::string_view kName = "data.pkl";
  for (const ZipArchive::Entry& entry : archive.entries()) {
    const std::size_t slash = entry.name.find('/');
    const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
    if (std::string_view(entry.name).substr(start) == kName) return entry.name.substr(0, start);
  }
  fail("{}: is not a PyTorch weight file (it is a zip archive without data.pkl)", source);
}

std::vector<StateDict> read_zip_container(std::string_view bytes, const std::string& source) {
  const ZipArchive archive(bytes, source);
  const std::string stem = find_stem(archive, source);
  const ZipArchive::Entry* order = archive.find(stem + "byteorder");
  if (order != nullptr && archive.read(*order) != "little")
    fail("{}: '{}' says that it was written on a big-endian machine; save it again on a little-endian one",
         source, printable(order->name));
  const std::string name = stem + "data.pkl";
  const std::string program = archive.read(*archive.find(name));
  const std::string place = fmt::format("{}: {}", source, printable(name));  // bytes are counted in the entry
  const Pickle pickle(program, place, is_tensor_call);
  ZipStorages storages(archive, stem, source);
  return extract_state_dicts(pickle.root(), storages, tensor_limit(bytes.size()), place);
}

// --- the stream container: five pickles, then the storages' bytes
// ----------------------------------------------

class LegacyStorages : public StorageSource {
 public:
  LegacyStorages(std::string_view file, const std::string& source) : file_(file), source_(source) {}

  // The stream, from this byte of the file on, says how many elements each storage has; what an element is
  // only the pickle says.
  void locate(std::uint64_t at, const Pickle& state, const PickleValue& keys) {
    const std::map<std::string, StorageId> ids = described(state);
    if (!keys.is(Kind::kList))
      fail("{}: is damaged: its list of storages, before byte {}, is not a list", source_, at);
    for (const PickleValue* key : keys.items) {
      const auto id = key->is(Kind::kText) ? ids.find(std::string(key->text)) : ids.end();
      if (id == ids.end())
        fail("{}: is damaged: it lists a storage that no tensor has, before byte {}", source_, key->at);
      const auto& [name, described] = *id;
      std::int64_t count = 0;
      std::memcpy(&count, part(at, sizeof count, name).data(), sizeof count);
      if (count != described.count)
        fail("{}: is damaged: storage '{}' at byte {} has {} elements, expected {}", source_, printable(name),
             at, count, described.count);
      at += sizeof count;
      const std::string_view bytes = part(at, storage_bytes(described), name);
      if (!parts_.emplace(name, bytes).second)
        fail("{}: is damaged: it lists storage '{}' twice, before byte {}", source_, printable(name),
             key->at);
      at += bytes.size();
    }
  }

  at::Tensor load(const StorageId& id) override {
    const auto part = parts_.find(id.key);
    if (part == parts_.end()) fail("{}: is damaged: its storage '{}' is missing", source_, printable(id.key));
    if (part->second.size() != storage_bytes(id))
      fail("{}: is damaged: its storage '{}' is described in two ways", source_, printable(id.key));
    at::Tensor out = allocate_tensor({id.count}, id.dtype, source_);
    std::copy(part->second.begin(), part->second.end(), static_cast<char*>(out.data_ptr()));
    settle_bools(out);
    return out;
  }

 private:
  std::map<std::string, StorageId> described(const Pickle& state) const {
    std::map<std::string, StorageId> ids;
    for (const PickleValue* persistent : state.persistent()) {
      if (!is_storage_id(*persistent)) continue;
      StorageId id = parse_storage_id(*persistent, source_);
      ids.emplace(id.key, std::move(id));
    }
    return ids;
  }

  std::string_view part(std::uint64_t at, std::uint64_t size, const std::string& key) const {
    if (file_.size() - at < size)
      fail(
          "{}: is truncated: it ends inside storage '{}', which goes from byte {} to {}; copy or download it "
          "again",
          source_, printable(key), at, at + size);
    return file_.substr(at, size);
  }

  std::string_view file_;
  const std::string& source_;
  std::map<std::string, std::string_view> parts_;
};

void check_legacy_system(const PickleValue& system, const std::string& source) {
  for (std::size_t i = 0; i + 1 < system.items.size() && system.is(Kind::kDict); i += 2) {
    const PickleValue& key = *system.items[i];
    const PickleValue& value = *system.items[i + 1];
    if (key.is(Kind::kText) && key.text == "little_endian" && !(value.is(Kind::kBool) && value.integer == 1))
      fail("{}: was written on a big-endian machine, by its byte {}; save it again on a little-endian one",
           source, value.at);
  }
}

std::vector<StateDict> read_legacy_container(std::string_view bytes, std::uint64_t at,
                                             const std::string& source) {
  const auto rest = [&](const Pickle& before) { return bytes.substr(at += before.size()); };
  const Pickle version(bytes.substr(at), source, is_tensor_call, at);
  if (!version.root().is(Kind::kInteger) || version.root().integer != kLegacyVersion)
    fail("{}: is a stream weight file of another version at byte {}, expected {}", source, at,
         kLegacyVersion);
  const Pickle system(rest(version), source, is_tensor_call, at);
  check_legacy_system(system.root(), source);
  const Pickle state(rest(system), source, is_tensor_call, at);
  const Pickle keys(rest(state), source, is_tensor_call, at);
  at += keys.size();
  LegacyStorages storages(bytes, source);
  storages.locate(at, state, keys.root());
  return extract_state_dicts(state.root(), storages, tensor_limit(bytes.size()), source);
}

// The length of the pickle of the magic number that a stream weight file begins with, in any protocol; 0 in
// other files.
std::size_t legacy_magic(std::string_view head) {
  if (head.starts_with(kOldestStart)) return kOldestStart.size();
  constexpr std::size_t kProtocol = 2, kFrame = 9;  // bytes; protocols 4 and 5 have frames
  const std::string_view number = kLegacyStart.substr(kProtocol);
  if (head.size() <= kProtocol || head[0] != kLegacyStart[0]) return 0;
  const std::size_t at = kProtocol + (head[kProtocol] == '\x95' ? kFrame : 0);
  return head.size() > at && head.substr(at).starts_with(number) ? at + number.size() : 0;
}

}  // namespace

std::vector<StateDict> read_state_dicts(const std::filesystem::path& path) {
  weight_file_size(path);
  const std::string bytes = read_file(path);
  const std::string source = path.string();
  const std::string_view head = bytes;
  if (head.starts_with(kZipStart)) return read_zip_container(bytes, source);
  const std::size_t magic = legacy_magic(head);
  if (magic > 0) return read_legacy_container(bytes, magic, source);
  if (kLegacyStart.starts_with(head) || kOldestStart.starts_with(head) || kZipStart.starts_with(head))
    fail("{}: is truncated after {} bytes; copy or download it again", source, bytes.size());
  fail("{}: is not a PyTorch weight file ({})", source, describe_content(head));
}

TensorMap read_pth(const std::filesystem::path& path) {
  std::vector<StateDict> found = read_state_dicts(path);
  if (found.size() == 1 && found.front().problem.empty()) return std::move(found.front().tensors);
  if (found.size() == 1) fail("{}", found.front().problem);
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  for (const StateDict& one : found) {
    if (names.size() < kShown) names.push_back(one.name.empty() ? "the top level" : one.name);
  }
  if (found.size() > kShown) names.emplace_back("...");
  fail("{}: holds {} state dicts ({}), expected one", path.string(), found.size(), join(names));
}

}  // namespace torsor
