// The images that a training draws from: checked before it begins, and chosen from by their names.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "data/image_source.h"
#include "image/codec.h"

namespace torsor {

enum class BadFiles { refuse, skip };

class ImageSet : public ImageSource {
 public:
  /// Sees an image with its place in the set, from several threads; `file` is what messages call it. It may
  /// reject the image by throwing Error (too small for the crop), and add to its notes.
  using Look = std::function<void(const Image&, std::int64_t index, const std::string& file, Notes& notes)>;

  /// Shows the first looked_at() images to `look`, and leaves those that can be used. With refuse: throws
  /// Error for images that cannot. With skip: drops them, one warning each; throws Error when none is left.
  virtual void verify(BadFiles policy, LogSink& log, const Look& look) = 0;
  virtual std::int64_t looked_at() const { return size(); }

  /// Keeps these images (places before the call), in this order.
  virtual void keep(const std::vector<std::int64_t>& places) = 0;
  virtual std::shared_ptr<ImageSet> copy() const = 0;

  /// read(), with what the reader has to say of the file; nothing of images that are in none.
  virtual Image read_noting(std::int64_t index, Notes& notes) const { return read(index); }

  /// What messages call the set, and image `index` of it.
  virtual std::string title() const = 0;
  virtual std::string file(std::int64_t index) const { return name(index); }
  /// What images that belong together have in common, in two sets that hold pairs.
  virtual std::string pair_name(std::int64_t index) const = 0;

  /// The folder that holds the images; "" for none.
  virtual std::filesystem::path folder() const { return {}; }
  /// By image, the file that may hold more than 8 bits a sample; empty where there are none.
  virtual std::vector<std::filesystem::path> files() const { return {}; }
  /// Texts that are the same for the same images, wherever they lie.
  virtual std::vector<std::string> identity() const = 0;
};

/// 8-bit images of a source that has no files: they are drawn, or lie together in one file. The source
/// cannot have bad ones, so that verify() throws what `look` throws, and nothing is noted.
class PlainSet : public ImageSet {
 public:
  /// `title` is how --data names it. Of drawn images, which are alike, the first `looked_at` stand for all.
  PlainSet(std::shared_ptr<const ImageSource> source, std::string title, std::string identity,
           std::int64_t looked_at);

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Image read(std::int64_t index) const override { return source_->read(place(index)); }
  std::string name(std::int64_t index) const override { return source_->name(place(index)); }

  void verify(BadFiles policy, LogSink& log, const Look& look) override;
  std::int64_t looked_at() const override;
  void keep(const std::vector<std::int64_t>& places) override;
  std::shared_ptr<ImageSet> copy() const override { return std::make_shared<PlainSet>(*this); }
  std::string title() const override { return title_; }
  std::string pair_name(std::int64_t index) const override { return std::to_string(place(index)); }
  std::vector<std::string> identity() const override { return {identity_}; }

 private:
  std::int64_t place(std::int64_t index) const { return places_.at(static_cast<std::size_t>(index)); }

  std::shared_ptr<const ImageSource> source_;
  std::string title_, identity_;
  std::int64_t looked_at_;
  std::vector<std::int64_t> places_;  // of the source's images
};

}  // namespace torsor
