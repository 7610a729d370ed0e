/// Images in memory: `Image` owns 8-bit RGB, `Mask` owns the marked defects, `ImageView` looks at the caller's pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/extents.hpp"

namespace adtr::inline ADTR_ABI {

/// An RGB image, rows top to bottom, pixels interleaved without padding: data is (height, width, 3).
struct Image {
  static constexpr Index channels = 3;

  Image() = default;
  Image(Index h, Index w) { resize(h, w); }

  /// Gives the image a size; pixels are left as they fall. Memory is taken only when the image has never been so large.
  void resize(Index h, Index w) {
    height = h;
    width = w;
    data.resize(static_cast<std::size_t>(h * w * channels));
  }

  [[nodiscard]] std::uint8_t* row(Index y) { return data.data() + y * width * channels; }
  [[nodiscard]] const std::uint8_t* row(Index y) const { return data.data() + y * width * channels; }

  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> data;
};

/// Where the defects of an image are: (height, width), 0 is good and anything else a defect.
struct Mask {
  Mask() = default;
  Mask(Index h, Index w) : height(h), width(w), data(static_cast<std::size_t>(h * w)) {}

  [[nodiscard]] bool defective() const {
    for (const std::uint8_t pixel : data)
      if (pixel != 0) return true;
    return false;
  }

  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> data;
};

/// How colour pixels are stored. OpenCV's cv::imread and cv::VideoCapture give bgr.
enum class ChannelOrder { rgb, bgr };

/// Somebody else's 8-bit pixels, not copied: grey, colour, or colour with a fourth channel, which is ignored.
/// Rows are `row_stride` bytes apart (negative where they are stored bottom to top), pixels within a row touch.
struct ImageView {
  /// A row stride of 0 means rows without padding. The pixels must outlive the view.
  /// Error: no pixels, a number of channels other than 1, 3, 4, rows that overlap.
  ImageView(const std::uint8_t* pixels, Index h, Index w, Index channels_per_pixel = 3, Index stride = 0,
            ChannelOrder channel_order = ChannelOrder::rgb)
      : data(pixels),
        height(h),
        width(w),
        channels(channels_per_pixel),
        row_stride(stride == 0 ? w * channels_per_pixel : stride),
        order(channel_order) {
    const std::string size = std::to_string(h) + "x" + std::to_string(w);
    if (h < 1 || w < 1 || pixels == nullptr) throw Error("image view: expected pixels, found none (" + size + ")");
    if (channels != 1 && channels != 3 && channels != 4)
      throw Error("image view: expected 1, 3 or 4 channels, found " + std::to_string(channels));
    if (h > 1 && (row_stride < 0 ? -row_stride : row_stride) < w * channels)
      throw Error("image view: expected a row stride of at least " + std::to_string(w * channels) + " bytes, found " +
                  std::to_string(row_stride));
  }
  ImageView(const Image& image) : ImageView(image.data.data(), image.height, image.width) {}
  ImageView(const Mask& mask) : ImageView(mask.data.data(), mask.height, mask.width, 1) {}

  [[nodiscard]] const std::uint8_t* row(Index y) const { return data + y * row_stride; }

  const std::uint8_t* data;
  Index height;
  Index width;
  Index channels;
  Index row_stride;
  ChannelOrder order;
};

/// A copy of the view's pixels as RGB: grey is repeated, a fourth channel dropped.
[[nodiscard]] inline Image to_image(const ImageView& view) {
  Image image(view.height, view.width);
  const Index red = view.channels == 1 || view.order == ChannelOrder::rgb ? 0 : 2;
  const Index green = view.channels == 1 ? 0 : 1;
  const Index blue = view.channels == 1 ? 0 : 2 - red;
  for (Index y = 0; y < view.height; ++y) {
    const std::uint8_t* from = view.row(y);
    std::uint8_t* to = image.row(y);
    for (Index x = 0; x < view.width; ++x, from += view.channels, to += Image::channels) {
      to[0] = from[red];
      to[1] = from[green];
      to[2] = from[blue];
    }
  }
  return image;
}

}  // namespace adtr::inline ADTR_ABI
