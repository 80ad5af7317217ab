// A folder with MNIST's files as a data source. They are both domains: a task of translating a set of images
// to itself (S0-E1).
#include <array>

#include "core/error.h"
#include "data/data_source.h"
#include "data/idx_source.h"

namespace torsor {

namespace fs = std::filesystem;

namespace {

fs::path find(const std::string& data, Split split, const std::string& content) {
  return find_idx(data, split == Split::train ? "train" : "t10k", content);
}

class MnistData : public DataSource {
 public:
  explicit MnistData(DataRequest request) : DataSource(std::move(request)) {}

  void require(Pairing pairing) const override {
    if (pairing == Pairing::aligned)
      fail_usage(
          "{}: MNIST's files are both domains at once, and each image would be its own partner; give pairs, "
          "or use --pairing unpaired",
          request().data);
  }

  std::shared_ptr<ImageSet> open(SetName name, Split split) override {
    const fs::path path = find(request().data, split, "images");
    if (path.empty() || (name != SetName::real_a && name != SetName::real_b)) return nullptr;
    std::shared_ptr<const ImageSource>& images = opened_[split == Split::train ? 0 : 1];
    if (!images) images = open_idx(path, {}, request().limit);
    return std::make_shared<PlainSet>(images, request().data, std::to_string(fs::file_size(path)),
                                      split == Split::train ? images->size() : 0);
  }

  std::shared_ptr<const LabelledSource> open_labelled(Split split) const override {
    const fs::path images = find(request().data, split, "images"),
                   labels = find(request().data, split, "labels");
    if (images.empty() || labels.empty())
      fail("--data {}: has no {}-{}-ubyte; expected MNIST's four files, as they are distributed",
           request().data, split == Split::train ? "train" : "t10k",
           images.empty() ? "images-idx3" : "labels-idx1");
    return open_idx(images, labels, request().limit);
  }

  std::string domain_name(Domain) const override { return folder_name(request().data); }

 private:
  std::array<std::shared_ptr<const ImageSource>, 2> opened_;  // by split; for both domains
};

}  // namespace

DataSourceType mnist_data() {
  return {
      "with MNIST's files, which are then both domains", Storage::files,
      [](const std::string& data) { return !data.empty() && !find(data, Split::train, "images").empty(); },
      [](DataRequest request) { return std::make_unique<MnistData>(std::move(request)); }};
}

}  // namespace torsor
