/// Resizes bit for bit as Pillow does: BILINEAR for images, NEAREST for masks.
///
/// Networks are trained on images that Pillow (torchvision, timm) resized. Its BILINEAR is an antialiased triangle
/// filter, horizontal pass first, each pass rounded to 8 bits; weights are integers with 22 fractional bits. A resize
/// without antialiasing changes scores by more than most defects do. (Pillow 13 begins with the vertical pass for some
/// sizes, which changes some pixels by one level; adtr keeps one order.)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adtr/core/ceil_div.hpp"
#include "adtr/core/error.hpp"
#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

/// The triangle filter along one axis: output i is the sum of weight(i, k) · input(first(i) + k) over k < count(i).
class TriangleFilter {
 public:
  static constexpr int bits = 22;  ///< 32 minus 8 for the pixel and 2 spare bits, as in Pillow
  struct Window {
    Index first;
    Index count;
    const std::int32_t* weights;  ///< with `bits` fractional bits; their sum is about 1
  };

  void prepare(Index in, Index out) {
    if (in == in_ && out == out_) return;
    in_ = in;
    out_ = out;
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double support = (std::max)(scale, 1.0);  // half the triangle's base, in input pixels
    const double slope = 1.0 / support;
    taps_ = static_cast<Index>(std::ceil(support)) * 2 + 1;
    ranges_.resize(static_cast<std::size_t>(out));
    weights_.resize(static_cast<std::size_t>(out * taps_));
    triangle_.resize(static_cast<std::size_t>(taps_));
    for (Index i = 0; i < out; ++i) {
      const double center = (static_cast<double>(i) + 0.5) * scale;
      const Index first = std::max<Index>(static_cast<Index>(center - support + 0.5), 0);
      const Index count = (std::min)(static_cast<Index>(center + support + 0.5), in) - first;
      double sum = 0.0;
      for (Index k = 0; k < count; ++k) {
        const double distance = std::abs((static_cast<double>(k + first) - center + 0.5) * slope);
        triangle_[static_cast<std::size_t>(k)] = (std::max)(1.0 - distance, 0.0);
        sum += triangle_[static_cast<std::size_t>(k)];
      }
      std::int32_t* weights = weights_.data() + i * taps_;
      for (Index k = 0; k < count; ++k) {
        weights[k] = static_cast<std::int32_t>(0.5 + triangle_[static_cast<std::size_t>(k)] / sum * (1 << bits));
      }
      ranges_[static_cast<std::size_t>(i)] = {first, count};
    }
  }

  [[nodiscard]] Window operator[](Index i) const {
    const auto [first, count] = ranges_[static_cast<std::size_t>(i)];
    return {first, count, weights_.data() + i * taps_};
  }

  /// Converts a sum of weight · pixel that started at 1/2. Rounded weights may add up to slightly more than 1.
  static std::uint8_t to_pixel(std::int32_t sum) {
    return static_cast<std::uint8_t>((std::min)(sum >> bits, std::int32_t{255}));
  }
  static constexpr std::int32_t half = 1 << (bits - 1);

 private:
  Index in_ = 0;
  Index out_ = 0;
  Index taps_ = 0;
  std::vector<std::pair<Index, Index>> ranges_;  ///< first, count
  std::vector<std::int32_t> weights_;            ///< (out, taps)
  std::vector<double> triangle_;
};

}  // namespace detail

/// Resizes images to one size as Pillow's `convert("RGB").resize((width, height), BILINEAR)` does, bit for bit where
/// Pillow begins with the horizontal pass. Keeps its filters and buffers: an image of the previous call's size (or
/// smaller) allocates nothing. Use one object per thread.
class Resizer {
 public:
  Resizer(Index height, Index width) : height_(height), width_(width) {
    if (height < 1 || width < 1) {
      throw Error("resize: expected a height and a width of at least 1, found a height of " + std::to_string(height) +
                      " and a width of " + std::to_string(width),
                  ErrorCode::shape);
    }
  }

  /// Error: shape, of an image whose size and pixels disagree.
  void operator()(const Image& in, Image& out) { (*this)(ImageView(in), out); }
  void operator()(const ImageView& in, Image& out) {
    horizontal_.prepare(in.width, width_);
    vertical_.prepare(in.height, height_);
    out.resize(height_, width_);
    // Grey is expanded to three channels only at the end; a fourth channel is never read.
    if (in.channels == 1) return run<1, 1>(in, out);
    if (in.channels == 3) return run<3, 3>(in, out);
    run<4, 3>(in, out);
  }

 private:
  /// Number of columns that the vertical pass processes together: a constant, so that compilers vectorise at -O2.
  static constexpr Index block = 16;

  template <Index Step, Index Channels>
  void run(const ImageView& in, Image& out) {
    const Index row_bytes = width_ * Channels;
    const Index stride = round_up(row_bytes, block);
    rows_.resize(static_cast<std::size_t>(in.height * stride));
    for (Index y = 0; y < in.height; ++y) horizontal_pass<Step, Channels>(in.row(y), rows_.data() + y * stride);
    for (Index y = 0; y < height_; ++y) {
      const auto window = vertical_[y];
      const std::uint8_t* from = rows_.data() + window.first * stride;
      std::uint8_t* to = out.row(y);
      for (Index x = 0; x < row_bytes; x += block) {
        std::array<std::uint8_t, block> pixels;
        vertical_pass(window, from + x, stride, pixels);
        const Index n = (std::min)(block, row_bytes - x);
        if constexpr (Channels == 1) {
          for (Index i = 0; i < n; ++i) std::fill_n(to + (x + i) * 3, 3, pixels[static_cast<std::size_t>(i)]);
        } else {
          std::copy_n(pixels.begin(), n, to + x);
        }
      }
      if (Channels == 3 && in.order == ChannelOrder::bgr) {
        for (Index x = 0; x < width_; ++x) std::swap(to[3 * x], to[3 * x + 2]);
      }
    }
  }

  /// Resizes one row, (in width, Step) to (width, Channels).
  template <Index Step, Index Channels>
  void horizontal_pass(const std::uint8_t* in, std::uint8_t* out) const {
    for (Index x = 0; x < width_; ++x) {
      const auto window = horizontal_[x];
      const std::uint8_t* pixel = in + window.first * Step;
      std::int32_t red = detail::TriangleFilter::half;
      std::int32_t green = red;
      std::int32_t blue = red;
      for (Index k = 0; k < window.count; ++k, pixel += Step) {
        const std::int32_t weight = window.weights[k];
        red += weight * pixel[0];
        if constexpr (Channels == 3) {
          green += weight * pixel[1];
          blue += weight * pixel[2];
        }
      }
      *out++ = detail::TriangleFilter::to_pixel(red);
      if constexpr (Channels == 3) {
        *out++ = detail::TriangleFilter::to_pixel(green);
        *out++ = detail::TriangleFilter::to_pixel(blue);
      }
    }
  }

  /// Computes one block of columns of an output row from the rows of its window.
  static void vertical_pass(const detail::TriangleFilter::Window& window, const std::uint8_t* in, Index stride,
                            std::array<std::uint8_t, block>& out) {
    std::array<std::int32_t, block> sums;
    sums.fill(detail::TriangleFilter::half);
    for (Index k = 0; k < window.count; ++k, in += stride) {
      const std::int32_t weight = window.weights[k];
      for (std::size_t i = 0; i < block; ++i) sums[i] += weight * in[i];
    }
    for (std::size_t i = 0; i < block; ++i) out[i] = detail::TriangleFilter::to_pixel(sums[i]);
  }

  Index height_;
  Index width_;
  detail::TriangleFilter horizontal_;
  detail::TriangleFilter vertical_;
  std::vector<std::uint8_t> rows_;  ///< after the horizontal pass: (in height, width · channels, padded to blocks)
};

/// Resizes one image; for many images use Resizer.
[[nodiscard]] inline Image resize(const ImageView& in, Index height, Index width) {
  Image out;
  Resizer(height, width)(in, out);
  return out;
}

[[nodiscard]] inline Image resize(const Image& in, Index height, Index width) {
  return resize(ImageView(in), height, width);
}

/// Resizes a mask as Pillow's NEAREST does: each output pixel takes the input pixel under its centre. Error: shape, of
/// a mask whose size and pixels disagree, or of a mask or a result without pixels.
[[nodiscard]] inline Mask resize_nearest(const Mask& in, Index height, Index width) {
  detail::check_pixels("mask", in.height, in.width, 1, in.data.size());
  if (in.height < 1 || in.width < 1 || height < 1 || width < 1) {
    const auto size = [](Index h, Index w) {
      return "a height of " + std::to_string(h) + " and a width of " + std::to_string(w);
    };
    throw Error("resize of a mask: expected a height and a width of at least 1, found " + size(in.height, in.width) +
                    " of the mask, requested " + size(height, width),
                ErrorCode::shape);
  }
  // The centre is accumulated step by step as in Pillow: its rounding decides when a centre falls on the edge of a
  // pixel.
  const auto centres = [](Index from, Index to) {
    std::vector<Index> index(static_cast<std::size_t>(to));
    const double step = static_cast<double>(from) / static_cast<double>(to);
    double centre = step * 0.5;
    for (Index& i : index) {
      i = (std::min)(static_cast<Index>(centre), from - 1);
      centre += step;
    }
    return index;
  };
  const std::vector<Index> rows = centres(in.height, height);
  const std::vector<Index> columns = centres(in.width, width);
  Mask out(height, width);
  out.soft = in.soft;
  std::uint8_t* to = out.data.data();
  for (const Index y : rows)
    for (const Index x : columns) *to++ = in.data[static_cast<std::size_t>(y * in.width + x)];
  return out;
}

}  // namespace ADTR_ABI
}  // namespace adtr
