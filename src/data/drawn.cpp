#include "data/drawn.h"

#include <utility>

#include "core/error.h"

namespace torsor {

namespace {

std::string domain_name(Domain domain) { return domain == Domain::a ? "a" : "b"; }
std::string split_name(Split split) { return split == Split::train ? "train" : "test"; }

class DrawnSource : public ImageSource {
 public:
  DrawnSource(std::string what, Domain domain, Split split, std::int64_t count,
              std::function<Image(std::int64_t)> draw)
      : what_(std::move(what)), domain_(domain), split_(split), count_(count), draw_(std::move(draw)) {}

  std::int64_t size() const override { return count_; }

  Image read(std::int64_t index) const override {
    if (index < 0 || index >= count_)
      fail("{} {}: there is no image {}; ask for 0 to {}", what_, domain_name(domain_), index, count_ - 1);
    return draw_(index);
  }

  std::string name(std::int64_t index) const override { return generated_file_name(domain_, split_, index); }

 private:
  std::string what_;
  Domain domain_;
  Split split_;
  std::int64_t count_;
  std::function<Image(std::int64_t)> draw_;
};

}  // namespace

std::string generated_stream(const std::string& task, Domain domain, Split split) {
  return fmt::format("generated/{}/{}/{}", task, domain_name(domain), split_name(split));
}

std::string generated_file_name(Domain domain, Split split, std::int64_t index) {
  return fmt::format("{}_{}_{:05}.png", domain_name(domain), split_name(split), index);
}

std::unique_ptr<ImageSource> make_drawn_source(const std::string& what, Domain domain, Split split,
                                               std::int64_t count, std::function<Image(std::int64_t)> draw) {
  if (count < 1) fail_usage("{} generated images asked for; the count must be at least 1", count);
  return std::make_unique<DrawnSource>(what, domain, split, count, std::move(draw));
}

}  // namespace torsor
