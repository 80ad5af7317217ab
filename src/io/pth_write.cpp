// The zip container of torch.save around a pickled OrderedDict. How torch pickles tensors and storages:
// torch/_utils.py and torch/serialization.py; the instructions: CPython's Lib/pickletools.py.
#include <ATen/core/TensorBody.h>
#include <zip.h>

#include <set>

#include "core/error.h"
#include "core/files.h"
#include "io/pickle_bytes.h"
#include "io/pth.h"
#include "io/tensor_rebuild.h"

namespace torsor {

namespace {

// Writes the values of a state dict, one after the other.
class PickleWriter {
 public:
  std::string take() {
    op(pickle::kStop);
    return std::move(bytes_);
  }

  void protocol() {
    op(pickle::kProto);
    byte(2);
  }
  void op(unsigned char code) { byte(code); }
  void global(const std::string& module, const std::string& name) {
    op(pickle::kGlobal);
    bytes_ += module + "\n" + name + "\n";
  }
  void text(const std::string& value) {
    op(pickle::kBinUnicode);
    little_endian(value.size(), 4);
    bytes_ += value;
  }
  void integer(std::int64_t value) {
    const bool is_small = value >= 0 && value < 256;
    const bool fits = value >= INT32_MIN && value <= INT32_MAX;
    op(is_small ? pickle::kBinInt1 : fits ? pickle::kBinInt : pickle::kLong1);
    if (!is_small && !fits) byte(8);
    little_endian(static_cast<std::uint64_t>(value), is_small ? 1 : fits ? 4 : 8);
  }
  void integers(at::IntArrayRef values) {
    op(pickle::kMark);
    for (const std::int64_t value : values) integer(value);
    op(pickle::kTuple);
  }
  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    op(pickle::kEmptyTuple);
    op(pickle::kReduce);
  }

 private:
  void byte(unsigned char value) { bytes_.push_back(static_cast<char>(value)); }
  void little_endian(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) byte(static_cast<unsigned char>(value >> (8 * i)));
  }

  std::string bytes_;
};

// torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()).
void put_tensor(PickleWriter& out, const at::Tensor& tensor, const std::string& storage_type,
                std::size_t key) {
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.op(pickle::kMark);
  out.op(pickle::kMark);
  out.text("storage");
  out.global("torch", storage_type);
  out.text(std::to_string(key));
  out.text("cpu");
  out.integer(tensor.numel());
  out.op(pickle::kTuple);
  out.op(pickle::kBinPersId);
  out.integer(0);
  out.integers(tensor.sizes());
  out.integers(tensor.strides());
  out.op(pickle::kNewFalse);
  out.empty_ordered_dict();
  out.op(pickle::kTuple);
  out.op(pickle::kReduce);
}

// A zip archive in memory; entries are stored as they are, with a fixed date, so that equal weights are equal
// files.
class ZipWriter {
 public:
  explicit ZipWriter(std::string target) : target_(std::move(target)) {
    zip_error_init(&error_);
    source_ = zip_source_buffer_create(nullptr, 0, 0, &error_);
    archive_ = source_ != nullptr ? zip_open_from_source(source_, ZIP_TRUNCATE, &error_) : nullptr;
    if (archive_ == nullptr) give_up(zip_error_strerror(&error_));
    zip_source_keep(source_);
  }
  ~ZipWriter() {
    if (archive_ != nullptr) zip_discard(archive_);
    if (source_ != nullptr) zip_source_free(source_);
    zip_error_fini(&error_);
  }
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // `data` has to live until finish().
  void add(const std::string& name, const void* data, std::size_t size) {
    zip_source_t* content = zip_source_buffer(archive_, data, size, 0);
    const zip_int64_t index =
        content != nullptr ? zip_file_add(archive_, name.c_str(), content, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      zip_source_free(content);
      give_up(zip_strerror(archive_));
    }
    zip_set_file_compression(archive_, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive_, static_cast<zip_uint64_t>(index), 0, kFirstDosDay, 0);
  }

  std::string finish() {
    if (zip_close(archive_) != 0) give_up(zip_strerror(archive_));
    archive_ = nullptr;
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_source_open(source_) != 0 || zip_source_stat(source_, &stat) != 0)
      give_up(zip_error_strerror(zip_source_error(source_)));
    std::string bytes(stat.size, '\0');
    const zip_int64_t got = zip_source_read(source_, bytes.data(), bytes.size());
    zip_source_close(source_);
    if (got != static_cast<zip_int64_t>(bytes.size())) give_up("its archive could not be read back");
    return bytes;
  }

 private:
  static constexpr zip_uint16_t kFirstDosDay = 0x21;  // 1980-01-01

  [[noreturn]] void give_up(const std::string& reason) const {
    fail("{}: cannot be written: {}", target_, reason);
  }

  std::string target_;
  zip_error_t error_;
  zip_source_t* source_ = nullptr;
  zip_t* archive_ = nullptr;
};

}  // namespace

void write_pth(const std::filesystem::path& path, const TensorMap& tensors) {
  const std::string source = path.string(), stem = path.stem().string();
  std::vector<at::Tensor> stored;
  std::set<std::string> names;
  PickleWriter out;
  out.protocol();
  out.empty_ordered_dict();
  out.op(pickle::kMark);
  for (const auto& [name, tensor] : tensors) {
    const std::string what = fmt::format("{}: tensor '{}'", source, name);
    if (!names.insert(name).second) fail("{} cannot be written: its name is there twice", what);
    stored.push_back(tensor.detach().cpu().contiguous());
    out.text(name);
    const std::string storage(storage_type_name(tensor.scalar_type()));
    if (storage.empty())
      fail("{} cannot be written: torch has no storage of {} here", what,
           c10::toString(tensor.scalar_type()));
    put_tensor(out, stored.back(), storage, stored.size() - 1);
  }
  out.op(pickle::kSetItems);
  const std::string program = out.take();

  ZipWriter zip(source);
  const std::string order = "little", version = "3\n";
  zip.add(stem + "/data.pkl", program.data(), program.size());
  zip.add(stem + "/byteorder", order.data(), order.size());
  for (std::size_t i = 0; i < stored.size(); ++i)
    zip.add(fmt::format("{}/data/{}", stem, i), stored[i].const_data_ptr(), stored[i].nbytes());
  zip.add(stem + "/version", version.data(), version.size());
  write_file_atomically(path, zip.finish());
}

}  // namespace torsor
