/// Image files: PNG, JPEG and BMP in, PNG out. Whatever is wrong with a file is one sentence that names it.
#pragma once

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "adtr/core/error.hpp"
#include "adtr/data/image.hpp"
#include "adtr/data/image_format.hpp"
#include "adtr/data/stb.hpp"
#include "adtr/weights/atomic_file.hpp"

namespace adtr::inline ADTR_ABI {

namespace detail {

/// The most pixels an image may have: 16384 x 16384, which is 800 MB in memory. A damaged header asks for more.
inline constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) throw file_error(path.string(), "no such file");
  if (error) throw file_error(path.string(), "cannot be read: " + error.message());
  if (!std::filesystem::is_regular_file(status)) throw file_error(path.string(), "expected an image, found no file");
  errno = 0;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size > INT_MAX) throw file_error(path.string(), "expected an image of less than 2 GiB, found a larger file");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size < 0 ? 0 : size));
  if (file) file.seekg(0).read(reinterpret_cast<char*>(bytes.data()), size);
  if (size < 0 || !file) {
    throw file_error(path.string(),
                     std::string("cannot be read: ") + (errno != 0 ? std::strerror(errno) : "I/O error"));
  }
  return bytes;
}

/// Throws unless the bytes are an image of a format that adtr reads, whole, and of a size that makes sense.
inline ImageFormat check_format(std::span<const std::uint8_t> bytes, const std::string& path) {
  if (bytes.empty()) throw file_error(path, "expected an image, found an empty file (0 bytes)");
  const auto format = image_format(bytes);
  if (!format) throw file_error(path, "not an image: expected PNG, JPEG or BMP");
  const std::string name(format->name);
  if (!format->whole) {
    throw file_error(path, "truncated " + name + ": the file's " + std::to_string(bytes.size()) +
                               " bytes end before the image does");
  }
  if (format->flaw != nullptr) throw file_error(path, "damaged " + name + ": " + format->flaw);
  const std::string size = std::to_string(format->height) + "x" + std::to_string(format->width);
  if (format->height < 1 || format->width < 1) throw file_error(path, name + " without pixels (" + size + ")");
  if (format->height > most_pixels / format->width) {
    throw file_error(path, name + " of " + size + " pixels, expected at most " + std::to_string(most_pixels));
  }
  return *format;
}

struct FreeStb {
  void operator()(void* pixels) const { std::free(pixels); }
};

/// Why stb gave up, in its few words. They may quote the file's bytes.
inline std::string stb_reason() {
  const char* words = stb::stbi_failure_reason();
  std::string reason = words == nullptr || *words == '\0' ? "cannot be decoded" : words;
  for (char& c : reason)
    if (c < ' ' || c > '~') c = '?';
  return reason;
}

template <class T>
using Decoded = std::unique_ptr<T[], FreeStb>;

/// Three channels of 8 or 16 bits from an image of any depth and number of channels, by one of stb's two decoders.
template <class T, class Decode>
Decoded<T> decode(Decode load, std::span<const std::uint8_t> bytes, const std::string& path, Index& height,
                  Index& width) {
  const ImageFormat format = check_format(bytes, path);
  int w = 0;
  int h = 0;
  int channels = 0;
  Decoded<T> pixels(load(bytes.data(), static_cast<int>(bytes.size()), &w, &h, &channels, Image::channels));
  if (!pixels) throw file_error(path, "damaged or unsupported " + std::string(format.name) + " (" + stb_reason() + ")");
  height = h;
  width = w;
  return pixels;
}

}  // namespace detail

/// Reads a PNG, JPEG or BMP file as 8-bit RGB. Grey is repeated in the three channels, an alpha channel is dropped (not
/// blended), palettes are resolved, orientation tags of cameras are ignored: all as Pillow's convert("RGB"). 16 bits
/// become 8 by their upper byte (v >> 8, as libpng and Pillow do for colour): a camera that stores 12 bits in the low
/// bits of 16 must be scaled by the caller, see ImageView.
/// Error: no such file, empty, not an image, truncated, damaged, without pixels, more than 2^28 pixels.
[[nodiscard]] inline Image read_image(const std::filesystem::path& path) {
  const auto bytes = detail::read_bytes(path);
  Image image;
  const auto pixels =
      detail::decode<std::uint8_t>(stb::stbi_load_from_memory, bytes, path.string(), image.height, image.width);
  image.data.assign(pixels.get(), pixels.get() + image.height * image.width * Image::channels);
  return image;
}

/// Reads a mask: 255 where any colour channel of the file is greater than 0, at 8 or 16 bits, else 0. Alpha is ignored.
/// Errors as read_image.
[[nodiscard]] inline Mask read_mask(const std::filesystem::path& path) {
  const auto bytes = detail::read_bytes(path);
  Mask mask;
  // 16 bits, so that a mask whose defects are 1 of 65535 keeps them.
  const auto pixels =
      detail::decode<std::uint16_t>(stb::stbi_load_16_from_memory, bytes, path.string(), mask.height, mask.width);
  mask.data.resize(static_cast<std::size_t>(mask.height * mask.width));
  const std::uint16_t* pixel = pixels.get();
  for (std::uint8_t& marked : mask.data) {
    marked = (pixel[0] | pixel[1] | pixel[2]) != 0 ? 255 : 0;
    pixel += Image::channels;
  }
  return mask;
}

/// Writes an RGB PNG, whole or not at all: what stood at `path` survives a failure. Error: cannot be written.
inline void write_png(const std::filesystem::path& path, const ImageView& view) {
  const Image image = to_image(view);
  const std::int64_t bytes = view.height * (view.width * Image::channels + 1);
  if (bytes > INT_MAX / 2)
    throw file_error(path.string(), "cannot be written: more pixels than a PNG of adtr may have");
  int size = 0;
  const detail::Decoded<std::uint8_t> png(stb::stbi_write_png_to_mem(
      image.data.data(), static_cast<int>(image.width * Image::channels), static_cast<int>(image.width),
      static_cast<int>(image.height), Image::channels, &size));
  if (!png) throw file_error(path.string(), "cannot be written: out of memory");
  AtomicFile file(path.string());
  file.write(std::as_bytes(std::span(png.get(), static_cast<std::size_t>(size))));
  file.commit();
}

}  // namespace adtr::inline ADTR_ABI
