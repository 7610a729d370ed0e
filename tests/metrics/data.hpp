/// The data of make_golden.py, generated in C++.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

struct Lcg {
  std::uint64_t state;
  double next() {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 44U) / 1048576.0;
  }
};

inline double quantised(double score, int levels) { return levels == 0 ? score : std::floor(score * levels) / levels; }

template <class T>
struct BinaryData {
  std::vector<T> scores;
  std::vector<std::uint8_t> labels;
};

template <class T>
BinaryData<T> binary_data(std::uint64_t seed, std::size_t n, double share, double shift, int levels) {
  Lcg lcg{seed};
  BinaryData<T> data;
  for (std::size_t i = 0; i < n; ++i) {
    const bool label = lcg.next() < share;
    data.labels.push_back(label ? 1 : 0);
    data.scores.push_back(static_cast<T>(quantised(lcg.next() + (label ? shift : 0.0), levels)));
  }
  return data;
}

struct MapData {
  std::vector<float> scores;
  std::vector<std::uint8_t> mask;
};

inline std::vector<MapData> map_data(std::uint64_t seed, std::size_t images, std::size_t height, std::size_t width,
                                     int levels) {
  Lcg lcg{seed};
  std::vector<MapData> all;
  for (std::size_t image = 0; image < images; ++image) {
    MapData data;
    data.mask.assign(height * width, 0);
    for (std::size_t disc = 0; image % 3 != 0 && disc < 1 + image % 3; ++disc) {
      const auto cy = std::floor(lcg.next() * static_cast<double>(height));
      const auto cx = std::floor(lcg.next() * static_cast<double>(width));
      const auto r = 1 + std::floor(lcg.next() * 6);
      for (std::size_t i = 0; i < data.mask.size(); ++i) {
        const double y = static_cast<double>(i / width) - cy;
        const double x = static_cast<double>(i % width) - cx;
        if (y * y + x * x <= r * r) data.mask[i] = 255;
      }
    }
    for (std::size_t d = 0; image % 3 != 0 && d < 5; ++d) data.mask[d * width + width - 5 + d] = 1;
    for (std::size_t i = 0; i < data.mask.size(); ++i) {
      data.scores.push_back(static_cast<float>(quantised(lcg.next() + (data.mask[i] != 0 ? 0.5 : 0.0), levels)));
    }
    all.push_back(data);
  }
  return all;
}
