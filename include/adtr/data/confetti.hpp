/// Confetti: artificial defects on photographs of good parts (Liznerski et al., "Explainable Deep One-Class
/// Classification", ICLR 2021; parameters assumed to be theirs).
///
/// Blurred, rotated squares are added to the image. Coloured squares subtract up to 256 grey levels, a different amount
/// per channel; grey squares subtract 255. All arithmetic is in integers, so that the same random numbers give the same
/// pixels on every machine.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "adtr/core/random.hpp"
#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A square of confetti before the blur.
struct Blob {
  Index y = 0, x = 0;      ///< centre
  Index side = 0;          ///< in pixels, 8 to 54
  std::int64_t angle = 0;  ///< in radians, 30 fractional bits, from −π/4 to below π/4
  bool grey = false;
  std::array<std::int16_t, 3> fill{-255, -255, -255};  ///< added to the channels
};

/// Distribution of the squares of one image.
struct Confetti {
  static constexpr double coloured_per_pixel = 1.8e-5;
  static constexpr double grey_per_pixel = 1.2e-5;
  static constexpr Index min_side = 8, largest_side = 54;
  static constexpr int darkest = -256;  ///< smallest value of a coloured square's channel; the largest is 0

  /// Draws the squares of an image, coloured ones first: every pixel is the centre of one with the probabilities above.
  /// The centres of each kind are drawn again until there is at least one.
  [[nodiscard]] static std::vector<Blob> draw(Index height, Index width, RandomStream& random) {
    std::vector<Blob> blobs;
    add(blobs, height, width, coloured_per_pixel, false, random);
    add(blobs, height, width, grey_per_pixel, true, random);
    return blobs;
  }

 private:
  static void add(std::vector<Blob>& blobs, Index height, Index width, double probability, bool grey,
                  RandomStream& random) {
    const auto threshold = static_cast<std::uint32_t>(probability * 0x1p32);
    const std::size_t first = blobs.size();
    while (blobs.size() == first)
      for (Index y = 0; y < height; ++y)
        for (Index x = 0; x < width; ++x)
          if (random.word() < threshold) blobs.push_back({y, x, 0, 0, grey});
    for (std::size_t i = first; i < blobs.size(); ++i) {
      blobs[i].side = min_side + static_cast<Index>(random.below(largest_side - min_side + 1));
      constexpr std::int64_t quarter_pi = 843314857;  // π/4 with 30 fractional bits
      blobs[i].angle = ((std::int64_t{random.word()} - (std::int64_t{1} << 31)) * quarter_pi) >> 31;
      if (grey) continue;
      for (std::int16_t& c : blobs[i].fill)
        c = static_cast<std::int16_t>(darkest + static_cast<int>(random.below(257)));
    }
  }
};

/// Adds confetti to images. Keeps its buffers: for image sizes seen before, it allocates only the list of squares.
class ConfettiMaker {
 public:
  /// Writes `image` with confetti to `out`, and to `mask` 255 where a pixel changed; both get the image's size. If the
  /// noise changes the image by less than 0.025 grey levels on average (in a dark part, for example) and its negative
  /// by more, the negative is added instead.
  void operator()(const Image& image, RandomStream random, Image& out, Mask& mask) {
    apply(image, Confetti::draw(image.height, image.width, random), out, mask);
  }

  /// As above, with the given squares. A coloured square covers the coloured squares before it; grey is added to what
  /// is there, at most once per pixel.
  void apply(const Image& image, const std::vector<Blob>& blobs, Image& out, Mask& mask) {
    height_ = image.height;
    width_ = image.width;
    stride_ = (width_ + 2 * radius) * 3;
    const auto size = static_cast<std::size_t>((height_ + 2 * radius) * stride_);
    sharp_.assign(size, 0);
    soft_.assign(image.data.size(), 0);
    grey_.assign(static_cast<std::size_t>(height_ * width_), 0);
    for (const Blob& blob : blobs) paint(blob);
    for (const Blob& blob : blobs) blur(box_of(blob, radius));
    add_to(image, out, mask);
  }

 private:
  static constexpr Index radius = 12;  // the filter has 25 taps, sigma 5
  /// exp(−i²/50), 14 fractional bits; weights[0] + 2 Σ weights[1…12] = 2¹⁴.
  static constexpr std::array<std::int32_t, 13> weights{1324, 1297, 1222, 1105, 961, 803, 644,
                                                        497,  368,  262,  179,  118, 74};
  static_assert([] {
    std::int32_t sum = -weights[0];
    for (const std::int32_t w : weights) sum += 2 * w;
    return sum == 1 << 14;
  }());

  struct Box {
    Index top, left, bottom, right;  // bottom and right are exclusive
  };

  /// Sine and cosine of |x| ≤ π/4 by their series, 30 fractional bits.
  static std::array<std::int64_t, 2> sine_cosine(std::int64_t x) {
    constexpr std::int64_t one = std::int64_t{1} << 30;
    const std::int64_t square = (x * x) >> 30;
    std::int64_t sine = one, cosine = one;
    for (const std::int64_t n : {9, 7, 5, 3}) {
      sine = one - ((square * sine) >> 30) / (n * (n - 1));
      cosine = one - ((square * cosine) >> 30) / ((n - 1) * (n - 2));
    }
    return {(x * sine) >> 30, cosine};
  }

  /// Bounding box of a square and of `margin` pixels around it, clipped to the image.
  [[nodiscard]] Box box_of(const Blob& b, Index margin) const {
    const Index reach = (b.side * 3 + 3) / 4 + margin;  // half the diagonal is 0.708 sides
    return {std::max<Index>(0, b.y - reach), std::max<Index>(0, b.x - reach), (std::min)(height_, b.y + reach + 1),
            (std::min)(width_, b.x + reach + 1)};
  }

  [[nodiscard]] std::int16_t* sharp(Index y, Index x) {
    return sharp_.data() + (y + radius) * stride_ + (x + radius) * 3;
  }

  void paint(const Blob& b) {
    const auto [sine, cosine] = sine_cosine(b.angle);
    const std::int64_t half = std::int64_t{b.side} << 29;
    const Box box = box_of(b, 0);
    for (Index y = box.top; y < box.bottom; ++y)
      for (Index x = box.left; x < box.right; ++x) {
        const std::int64_t along = (x - b.x) * cosine + (y - b.y) * sine;
        const std::int64_t across = (y - b.y) * cosine - (x - b.x) * sine;
        if (along < -half || along >= half || across < -half || across >= half) continue;
        std::int16_t* const pixel = sharp(y, x);
        if (!b.grey) {
          std::copy(b.fill.begin(), b.fill.end(), pixel);
        } else if (std::uint8_t& seen = grey_[static_cast<std::size_t>(y * width_ + x)]; seen == 0) {
          seen = 1;
          for (Index c = 0; c < 3; ++c) pixel[c] = static_cast<std::int16_t>(pixel[c] + b.fill[0]);
        }
      }
  }

  /// sum = Σ weights·a over 25 elements of a that are `step` apart, for n elements.
  static void filter(const std::int16_t* a, Index step, Index n, std::int32_t* sum) {
    for (Index e = 0; e < n; ++e) sum[e] = weights[0] * a[e];
    for (Index k = 1; k <= radius; ++k) {
      const std::int32_t w = weights[static_cast<std::size_t>(k)];
      const std::int16_t *before = a - k * step, *after = a + k * step;
      for (Index e = 0; e < n; ++e) sum[e] += w * (before[e] + after[e]);
    }
  }

  /// Computes the blurred noise within the box: filters along rows and keeps 6 fractional bits, filters along columns,
  /// then rounds to the nearest grey level.
  void blur(const Box& box) {
    const Index n = (box.right - box.left) * 3, rows = box.bottom - box.top + 2 * radius;
    sum_.resize(static_cast<std::size_t>(n));
    rows_.resize(static_cast<std::size_t>(rows * n));
    for (Index r = 0; r < rows; ++r) {
      filter(sharp(box.top + r - radius, box.left), 3, n, sum_.data());
      std::int16_t* const row = rows_.data() + r * n;
      for (Index e = 0; e < n; ++e) row[e] = static_cast<std::int16_t>((sum_[static_cast<std::size_t>(e)] + 128) >> 8);
    }
    for (Index y = box.top; y < box.bottom; ++y) {
      filter(rows_.data() + (y - box.top + radius) * n, n, n, sum_.data());
      std::int16_t* const to = soft_.data() + (y * width_ + box.left) * 3;
      for (Index e = 0; e < n; ++e)
        to[e] = static_cast<std::int16_t>((sum_[static_cast<std::size_t>(e)] + (1 << 19)) >> 20);
    }
  }

  [[nodiscard]] static int added(int pixel, int noise) { return std::clamp(pixel + noise, 0, 255); }

  void add_to(const Image& image, Image& out, Mask& mask) {
    std::int64_t change = 0, negative = 0;
    for (std::size_t i = 0; i < soft_.size(); ++i) {
      const int pixel = image.data[i];
      change += pixel - added(pixel, soft_[i]);
      negative += added(pixel, -soft_[i]) - pixel;
    }
    const bool faint = change * 40 < static_cast<std::int64_t>(soft_.size());  // 0.025 on average
    const int sign = faint && negative > change ? -1 : 1;
    out.resize(height_, width_);
    mask.height = height_;
    mask.width = width_;
    mask.data.assign(grey_.size(), 0);
    for (std::size_t p = 0; p < grey_.size(); ++p)
      for (std::size_t i = 3 * p; i < 3 * p + 3; ++i) {
        out.data[i] = static_cast<std::uint8_t>(added(image.data[i], sign * soft_[i]));
        if (out.data[i] != image.data[i]) mask.data[p] = 255;
      }
  }

  Index height_ = 0, width_ = 0, stride_ = 0;
  std::vector<std::int16_t> sharp_;  // the noise, with a margin of zeros around it
  std::vector<std::int16_t> soft_;   // after the blur
  std::vector<std::uint8_t> grey_;   // where a grey square was painted
  std::vector<std::int16_t> rows_;
  std::vector<std::int32_t> sum_;
};

/// An image with confetti and the mask of its confetti.
struct ConfettiSample {
  Image image;
  Mask mask;
};

/// Returns sample number `draw` of those that `seed` generates, for inspection.
[[nodiscard]] inline ConfettiSample confetti_sample(const Image& image, std::uint64_t seed, std::uint64_t draw) {
  ConfettiSample sample;
  ConfettiMaker{}(image, RandomStream(seed, draw), sample.image, sample.mask);
  return sample;
}

}  // namespace ADTR_ABI
}  // namespace adtr
