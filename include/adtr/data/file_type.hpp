/// Determines the type of a file that is not named like an image: by its first bytes, then by its name.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Returns the extension in lower case, with its dot.
inline std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension;
}

inline bool is_hidden(const std::filesystem::path& path) { return path.filename().native().starts_with('.'); }

/// Whether a file is named like an image that adtr reads. Hidden files (such as macOS's ._name.png) do not count.
inline bool named_like_image(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 4> extensions{".png", ".jpg", ".jpeg", ".bmp"};
  return !is_hidden(path) && std::find(extensions.begin(), extensions.end(), lower_extension(path)) != extensions.end();
}

/// An image format.
struct ImageType {
  std::string_view name;  ///< such as "TIFF"; empty if the file is not an image
  bool readable = false;  ///< whether adtr reads the format
};

/// Returns the format that the first bytes of a file show.
inline ImageType image_type_of_bytes(std::string_view bytes) {
  using std::literals::operator""sv;
  const auto at = [&](std::size_t offset, std::string_view magic) {
    return bytes.size() >= offset && bytes.substr(offset).starts_with(magic);
  };
  if (at(0, "\x89PNG\r\n\x1A\n")) return {"PNG", true};
  if (at(0, "\xFF\xD8\xFF")) return {"JPEG", true};
  if (at(0, "BM") && at(6, "\0\0\0\0"sv)) return {"BMP", true};
  if (at(0, "II*\0"sv) || at(0, "MM\0*"sv) || at(0, "II+\0"sv) || at(0, "MM\0+"sv)) return {"TIFF"};
  if (at(0, "RIFF") && at(8, "WEBP")) return {"WebP"};
  if (at(0, "GIF8")) return {"GIF"};
  if (at(4, "ftypavi")) return {"AVIF"};
  if (at(4, "ftyphei") || at(4, "ftyphev") || at(4, "ftypmif1") || at(4, "ftypmsf1")) return {"HEIC"};
  if (at(0, "\0\0\0\x0CjP  "sv) || at(0, "\xFF\x4F\xFF\x51")) return {"JPEG 2000"};
  if (at(0, "\0\0\0\x0CJXL "sv) || at(0, "\xFF\x0A")) return {"JPEG XL"};
  if (at(128, "DICM")) return {"DICOM"};
  if (at(0, "8BPS")) return {"Photoshop"};
  if (at(0, "\x76\x2F\x31\x01")) return {"OpenEXR"};
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
      (bytes[2] == '\n' || bytes[2] == ' '))
    return {"PNM"};
  return {};
}

/// Returns the format of a lower-case extension, among the formats that adtr does not read.
inline ImageType image_type_of_name(std::string_view extension) {
  struct Row {
    std::string_view extension, name;
  };
  static constexpr std::array<Row, 32> rows{{
      {".tif", "TIFF"},       {".tiff", "TIFF"},      {".webp", "WebP"},      {".gif", "GIF"},
      {".avif", "AVIF"},      {".heic", "HEIC"},      {".heif", "HEIC"},      {".jp2", "JPEG 2000"},
      {".j2k", "JPEG 2000"},  {".jpx", "JPEG 2000"},  {".jxl", "JPEG XL"},    {".dcm", "DICOM"},
      {".psd", "Photoshop"},  {".exr", "OpenEXR"},    {".hdr", "HDR"},        {".pgm", "PNM"},
      {".ppm", "PNM"},        {".pbm", "PNM"},        {".pnm", "PNM"},        {".pfm", "PNM"},
      {".tga", "TGA"},        {".pcx", "PCX"},        {".dng", "raw camera"}, {".cr2", "raw camera"},
      {".cr3", "raw camera"}, {".nef", "raw camera"}, {".arw", "raw camera"}, {".orf", "raw camera"},
      {".raf", "raw camera"}, {".rw2", "raw camera"}, {".raw", "raw camera"}, {".qoi", "QOI"},
  }};
  const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.extension == extension; });
  return row == rows.end() ? ImageType{} : ImageType{row->name};
}

/// Returns the format of a regular file by its first bytes.
inline ImageType image_type_by_bytes(const std::filesystem::path& path) {
  std::array<char, 132> bytes{};
  std::size_t size = 0;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file >= 0) {
    for (ssize_t n = 1; n > 0 && size < bytes.size(); size += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
      n = ::read(file, bytes.data() + size, bytes.size() - size);
    ::close(file);
  }
  return image_type_of_bytes({bytes.data(), size});
}

/// As image_type_by_bytes(), or by the name if the bytes are unknown or cannot be read.
inline ImageType image_type(const std::filesystem::path& path) {
  const ImageType by_bytes = image_type_by_bytes(path);
  return by_bytes.name.empty() ? image_type_of_name(lower_extension(path)) : by_bytes;
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
