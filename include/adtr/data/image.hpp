/// Images in memory: `Image` owns 8-bit RGB pixels, `Mask` owns the mask of the defects, `ImageView` refers to the
/// caller's pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// Returns the bytes of (height, width, channels), channels 1 to 4. Error: shape, if a size is negative or the result
/// exceeds any memory.
inline std::size_t pixel_bytes(const char* what, Index height, Index width, Index channels) {
  const bool fits =
      height >= 0 && width >= 0 && (width == 0 || height <= (std::numeric_limits<Index>::max)() / channels / width);
  if (fits) return static_cast<std::size_t>(height * width * channels);
  throw Error(std::string(what) +
                  ": expected a height and a width from 0 up to what memory can hold, found a height of " +
                  std::to_string(height) + " and a width of " + std::to_string(width),
              ErrorCode::shape);
}

/// Throws unless the number of bytes found is that of (height, width, channels). Error: shape.
inline void check_pixels(const char* what, Index height, Index width, Index channels, std::size_t found) {
  const std::size_t expected = pixel_bytes(what, height, width, channels);
  if (found == expected) return;
  throw Error(std::string(what) + " with a height of " + std::to_string(height) + " and a width of " +
                  std::to_string(width) + ": expected " + std::to_string(expected) + " bytes of pixels, found " +
                  std::to_string(found),
              ErrorCode::shape);
}

}  // namespace detail

/// An RGB image: data is (height, width, 3), rows top to bottom, pixels interleaved without padding.
struct Image {
  static constexpr Index channels = 3;

  Image() = default;
  Image(Index h, Index w) { resize(h, w); }

  /// Sets the size; the pixel values are unspecified. Allocates only if the image has never been this large. Error:
  /// shape, of a negative height or width.
  void resize(Index h, Index w) {
    data.resize(detail::pixel_bytes("image", h, w, channels));
    height = h;
    width = w;
  }

  [[nodiscard]] std::uint8_t* row(Index y) { return data.data() + y * width * channels; }
  [[nodiscard]] const std::uint8_t* row(Index y) const { return data.data() + y * width * channels; }

  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> data;
};

/// A mask of the defects of an image: (height, width), 0 is good and any other value a defect.
struct Mask {
  Mask() = default;
  /// A mask without defects. Error: shape, of a negative height or width.
  Mask(Index h, Index w) : height(h), width(w), data(detail::pixel_bytes("mask", h, w, 1)) {}

  [[nodiscard]] bool defective() const {
    for (const std::uint8_t pixel : data)
      if (pixel != 0) return true;
    return false;
  }

  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> data;
  bool soft = false;  ///< set by read_mask: the threshold was half of the file's range of values
};

/// Channel order of colour pixels. OpenCV's cv::imread and cv::VideoCapture return bgr.
enum class ChannelOrder { rgb, bgr };

/// A view of the caller's 8-bit pixels, not copied: grey, colour, or colour with a fourth channel, which is ignored.
/// Rows are `row_stride` bytes apart (negative if they are stored bottom to top); the pixels of a row are contiguous. A
/// view of a temporary image does not compile, because it would dangle.
struct ImageView {
  /// A row stride of 0 means rows without padding. The pixels must outlive the view. They must have 8 bits each, which
  /// cannot be checked through a byte pointer: for a cv::Mat or a similar type use view_of(), which checks it. Error:
  /// shape, of no pixels, a number of channels other than 1, 3, 4, rows that overlap or exceed any memory.
  ImageView(const std::uint8_t* pixels, Index h, Index w, Index channels_per_pixel = 3, Index stride = 0,
            ChannelOrder channel_order = ChannelOrder::rgb)
      : data(pixels), height(h), width(w), channels(channels_per_pixel), row_stride(stride), order(channel_order) {
    const auto bad = [](const std::string& sentence) { return Error("image view: " + sentence, ErrorCode::shape); };
    if (h < 1 || w < 1) {
      throw bad("expected a height and a width of at least 1, found a height of " + std::to_string(h) +
                " and a width of " + std::to_string(w));
    }
    if (pixels == nullptr) throw bad("expected pixels, found a null pointer");
    if (channels != 1 && channels != 3 && channels != 4)
      throw bad("expected 1, 3 or 4 channels, found " + std::to_string(channels));
    constexpr Index most = (std::numeric_limits<Index>::max)();
    if (w > most / channels || h > most / (w * channels)) {
      throw bad("expected a size that memory can hold, found a height of " + std::to_string(h) + " and a width of " +
                std::to_string(w));
    }
    if (stride == 0) row_stride = w * channels;
    if (h == 1) return;
    if (row_stride > -w * channels && row_stride < w * channels) {
      throw bad("expected a row stride of at least " + std::to_string(w * channels) + " bytes, found " +
                std::to_string(row_stride));
    }
    if (row_stride > most / h || row_stride < -(most / h))
      throw bad("expected a row stride that memory can hold, found " + std::to_string(row_stride) + " bytes");
  }
  /// Error: shape, of an image without pixels, or whose size and pixels disagree.
  ImageView(const Image& image) : ImageView(checked(image), image.height, image.width) {}
  ImageView(const Mask& mask) : ImageView(checked(mask), mask.height, mask.width, 1) {}
  ImageView(const Image&&) = delete;
  ImageView(const Mask&&) = delete;

  [[nodiscard]] const std::uint8_t* row(Index y) const { return data + y * row_stride; }

  const std::uint8_t* data;
  Index height;
  Index width;
  Index channels;
  Index row_stride;
  ChannelOrder order;

 private:
  static const std::uint8_t* checked(const Image& image) {
    detail::check_pixels("image", image.height, image.width, Image::channels, image.data.size());
    return image.data.empty() ? &nothing : image.data.data();  // so that the error is about its size, not null
  }
  static const std::uint8_t* checked(const Mask& mask) {
    detail::check_pixels("mask", mask.height, mask.width, 1, mask.data.size());
    return mask.data.empty() ? &nothing : mask.data.data();
  }
  static constexpr std::uint8_t nothing = 0;
};

/// Copies the view's pixels to RGB: grey is repeated, a fourth channel is dropped.
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
[[nodiscard]] inline Image to_image(const Image& image) { return to_image(ImageView(image)); }
[[nodiscard]] inline Image to_image(const Mask& mask) { return to_image(ImageView(mask)); }

}  // namespace ADTR_ABI
}  // namespace adtr
