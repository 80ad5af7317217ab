// cv::Mat in, cv::Mat out. Header only: torsor itself does not need OpenCV.
#pragma once

#include <opencv2/core.hpp>

#include "torsor/translator.h"

namespace torsor {

/// The samples of a matrix in RGB order: OpenCV's colour images are BGR, so that the layout begins at the
/// last channel and has a negative channel stride.
struct MatPixels {
  unsigned char* data;
  PixelLayout layout;
};

/// 8-bit, 16-bit or 32-bit float (in [-1, 1], see SampleType) with 1, 3 (BGR) or 4 (BGRA) channels; regions
/// of interest work. Throws Error for any other matrix.
inline MatPixels pixels_of(const cv::Mat& image) {
  const int depth = image.depth(), channels = image.channels();
  if (image.empty() || image.dims != 2 || (channels != 1 && channels != 3 && channels != 4) ||
      (depth != CV_8U && depth != CV_16U && depth != CV_32F))
    throw Error("cv::Mat: expected an image of 8, 16 or 32-bit float samples with 1, 3 or 4 channels");
  const auto sample = static_cast<std::ptrdiff_t>(image.elemSize1());
  const std::ptrdiff_t last_colour = channels == 1 ? 0 : 2 * sample;
  return {
      image.data + last_colour,
      {image.cols, image.rows, channels == 1 ? 1 : 3,
       depth == CV_8U    ? SampleType::u8
       : depth == CV_16U ? SampleType::u16
                         : SampleType::f32,
       static_cast<std::ptrdiff_t>(image.elemSize()), static_cast<std::ptrdiff_t>(image.step[0]), -sample}};
}

/// Translates an image; the result has its size, the target domain's channels (1, or 3 as BGR) and its
/// depth. Throws as Translator::translate does.
inline cv::Mat translate(const Translator& translator, const cv::Mat& image) {
  const MatPixels in = pixels_of(image);
  cv::Mat result(image.rows, image.cols,
                 CV_MAKETYPE(image.depth(), static_cast<int>(translator.out_channels())));
  const MatPixels out = pixels_of(result);
  translator.translate(in.data, in.layout, out.data, out.layout);
  return result;
}

}  // namespace torsor
