// Where a training's images come from, as --data says: each kind of source opens the same named sets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/registry.h"
#include "data/image_set.h"
#include "data/pairing.h"

namespace torsor {

/// The options of a run that its images depend on.
struct DataRequest {
  std::string data;                       // --data; "" where `a` and `b` are given
  std::string a, b;                       // folders of the domains
  std::int64_t limit = 0;                 // images of a split of a domain, or pairs; 0: all
  PageUse pages = PageUse::images;        // of files
  BadFiles bad_files = BadFiles::refuse;  // of folders
  std::uint64_t seed = 0;                 // of drawn images
  std::int64_t size = 0;                  // of drawn images, in pixels
  std::int64_t drawn_tests = 100;         // how many test images are drawn
  std::shared_ptr<LogSink> log = std::make_shared<NullLog>();  // what is left out is said here
};

/// The sets of images that a data source may offer, each in both splits.
enum class SetName {
  real_a,  // domain A by itself
  real_b,
  paired_a,  // images of A that have partners in paired_b, of equal pair_name()
  paired_b,
  pairs,  // images that show a pair side by side
};

class DataSource {
 public:
  explicit DataSource(DataRequest request) : request_(std::move(request)) {}
  virtual ~DataSource() = default;

  /// Throws Error, or UsageError where the options are at fault, when there are no images that are paired
  /// so; warns of what is likely a mistake. Called before any set is opened.
  virtual void require(Pairing pairing) const = 0;

  /// Null where there is no such set. Throws Error naming what is missing of one that a training needs.
  virtual std::shared_ptr<ImageSet> open(SetName name, Split split) = 0;

  /// Images whose class is known. Throws Error unless a source has such.
  virtual std::shared_ptr<const LabelledSource> open_labelled(Split split) const;

  /// What the domain is called unless the user says so.
  virtual std::string domain_name(Domain domain) const = 0;

  /// Whether images have names of their own, by which a share of them may be held out.
  virtual bool has_named_images() const { return false; }

 protected:
  const DataRequest& request() const { return request_; }

 private:
  DataRequest request_;
};

/// Where images are: drawn ones have no path, and any size.
enum class Storage { files, drawn };

struct DataSourceType {
  std::string help;  // what --data is then, after "or"
  Storage storage = Storage::files;
  std::function<bool(const std::string& data)> recognises;  // none: what no other recognises
  std::function<std::unique_ptr<DataSource>(DataRequest)> open;
};

/// In the order of help; the first that recognises --data opens it.
const Registry<DataSourceType>& data_source_types();

/// The type that opens this --data ("" for folders that are named apart).
const DataSourceType& data_source_type(const std::string& data);

/// Whether images are drawn, at any size that is asked for.
bool is_drawn(const std::string& data);

/// Reads no image yet.
std::unique_ptr<DataSource> open_data_source(const DataRequest& request);

/// The last part of a folder's path, whatever stands for it.
std::string folder_name(const std::filesystem::path& folder);

}  // namespace torsor
