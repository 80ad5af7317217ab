// Generated domains as a data source: --data generated:TASK.
#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "data/data_source.h"
#include "data/generated.h"
#include "data/glyphs.h"

namespace torsor {

namespace {

const std::string kPrefix = "generated:", kLabelledTask = "glyphs";
constexpr std::int64_t kTrainCount = 1000;
constexpr std::int64_t kLookedAt = 200;  // they are drawn alike, so that the first ones stand for all

class GeneratedData : public DataSource {
 public:
  explicit GeneratedData(DataRequest request) : DataSource(std::move(request)) {}

  void require(Pairing) const override {}  // a task without pairs says so when they are opened

  std::shared_ptr<ImageSet> open(SetName name, Split split) override {
    switch (name) {
      case SetName::real_a:
      case SetName::paired_a:
        return set(
            make_generated_source(task(), Domain::a, split, request().seed, count(split), request().size),
            split);
      case SetName::real_b:
        return set(
            make_generated_source(task(), Domain::b, split, request().seed, count(split), request().size),
            split);
      case SetName::paired_b:
        return set(make_generated_partners(task(), split, request().seed, count(split), request().size),
                   split);
      case SetName::pairs:
        break;
    }
    return nullptr;
  }

  // Of glyphs, domain A, which is drawn like B.
  std::shared_ptr<const LabelledSource> open_labelled(Split split) const override {
    if (task() != kLabelledTask) return DataSource::open_labelled(split);
    return make_glyph_source(Domain::a, split, request().seed, count(split), request().size);
  }

  std::string domain_name(Domain domain) const override { return generated_domain_name(task(), domain); }

 private:
  std::string task() const { return request().data.substr(kPrefix.size()); }

  std::int64_t count(Split split) const {
    if (split == Split::test) return request().drawn_tests;
    return request().limit > 0 ? request().limit : kTrainCount;
  }

  std::shared_ptr<ImageSet> set(std::shared_ptr<const ImageSource> source, Split split) const {
    return std::make_shared<PlainSet>(std::move(source), request().data, request().data,
                                      split == Split::train ? kLookedAt : 0);
  }
};

}  // namespace

DataSourceType generated_data() {
  return {kPrefix + join(generated_tasks(), ", " + kPrefix), Storage::drawn,
          [](const std::string& data) { return data.starts_with(kPrefix); },
          [](DataRequest request) { return std::make_unique<GeneratedData>(std::move(request)); }};
}

}  // namespace torsor
