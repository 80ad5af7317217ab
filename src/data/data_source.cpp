#include "data/data_source.h"

#include "core/error.h"

namespace torsor {

namespace fs = std::filesystem;

// One line per data source; each is defined in its file.
DataSourceType folder_data();
DataSourceType mnist_data();
DataSourceType generated_data();

namespace {

constexpr const char* kFolder = "folder";

}  // namespace

const Registry<DataSourceType>& data_source_types() {
  static const Registry<DataSourceType> table = [] {
    Registry<DataSourceType> r("data source");
    r.add(kFolder, folder_data());
    r.add("mnist", mnist_data());
    r.add("generated", generated_data());
    return r;
  }();
  return table;
}

const DataSourceType& data_source_type(const std::string& data) {
  for (const std::string& name : data_source_types().names()) {
    const DataSourceType& type = data_source_types().at(name);
    if (type.recognises && type.recognises(data)) return type;
  }
  return data_source_types().at(kFolder);
}

bool is_drawn(const std::string& data) { return data_source_type(data).storage == Storage::drawn; }

std::unique_ptr<DataSource> open_data_source(const DataRequest& request) {
  return data_source_type(request.data).open(request);
}

std::shared_ptr<const LabelledSource> DataSource::open_labelled(Split) const {
  fail("--data {}: has no train-images-idx3-ubyte; expected MNIST's four files, as they are distributed",
       request_.data);
}

std::string folder_name(const fs::path& folder) {
  const fs::path clean = fs::absolute(folder).lexically_normal();
  return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

}  // namespace torsor
