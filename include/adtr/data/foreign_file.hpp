/// Names the type of a file that is not PNG, JPEG or BMP by its first bytes, for error messages.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adtr/core/abi.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace detail {

/// Bytes at offset `at` from the beginning of a file, and the type that they show.
struct Magic {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
};

inline constexpr std::array<Magic, 37> foreign_magics{
    {{0, "version https://git-lfs.github.com", "a Git LFS pointer (`git lfs pull` fetches the image itself)"},
     {0, {"II*\0", 4}, "a TIFF image"},
     {0, {"MM\0*", 4}, "a TIFF image"},
     {0, {"II+\0", 4}, "a TIFF image"},
     {0, {"MM\0+", 4}, "a TIFF image"},
     {8, "WEBP", "a WebP image"},
     {0, "GIF87a", "a GIF image"},
     {0, "GIF89a", "a GIF image"},
     {4, "ftypavif", "an AVIF image"},
     {4, "ftypavis", "an AVIF image"},
     {4, "ftyphei", "a HEIC image"},
     {4, "ftyphev", "a HEIC image"},
     {4, "ftypmif1", "a HEIF image"},
     {4, "ftypmsf1", "a HEIF image"},
     {4, "ftyp", "a video (MP4)"},
     {0, {"\0\0\0\x0CjP  ", 8}, "a JPEG 2000 image"},
     {0, "\xFF\x4F\xFF\x51", "a JPEG 2000 image"},
     {0, "\xFF\x0A", "a JPEG XL image"},
     {0, {"\0\0\0\x0CJXL ", 8}, "a JPEG XL image"},
     {0, "8BPS", "a Photoshop image"},
     {0, "\x76\x2F\x31\x01", "an OpenEXR image"},
     {0, "#?RADIANCE", "a Radiance HDR image"},
     {0, {"\0\0\1\0", 4}, "an icon (ICO)"},
     {128, "DICM", "a DICOM image"},
     {8, "AVI ", "a video (AVI)"},
     {0, "\x1A\x45\xDF\xA3", "a video (Matroska or WebM)"},
     {0, "%PDF-", "a PDF document"},
     {0, "PK\3\4", "a zip archive (which .npz and .pth files are too)"},
     {0, "PK\5\6", "an empty zip archive"},
     {0, "\x1F\x8B", "a gzip archive"},
     {0, "7z\xBC\xAF\x27\x1C", "a 7z archive"},
     {0, "Rar!\x1A\7", "a RAR archive"},
     {0,
      "\xFD"
      "7zXZ",
      "an xz archive"},
     {257, "ustar", "a tar archive"},
     {0, "\x93NUMPY", "a NumPy array (.npy)"},
     {0, "\x89HDF\r\n\x1A\n", "an HDF5 file"},
     {0,
      "\x7F"
      "ELF",
      "a program"}}};

/// Whether the bytes are PNM: P1 to P7 and white space.
inline bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         (bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == ' ');
}

/// Whether the bytes are safetensors: the eight-byte length of a header, then the header, which is JSON.
inline bool is_safetensors(std::string_view bytes) {
  if (bytes.size() < 10 || bytes[8] != '{') return false;
  return std::all_of(bytes.begin() + 4, bytes.begin() + 8, [](char c) { return c == 0; }) &&
         (bytes[9] == '"' || bytes[9] == '}');
}

/// Returns the type of the file, such as "a TIFF image", or nothing if it is unknown.
[[nodiscard]] inline std::string_view foreign_name(std::span<const std::uint8_t> file) {
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  for (const Magic& magic : foreign_magics)
    if (bytes.size() > magic.at && bytes.substr(magic.at).starts_with(magic.bytes)) return magic.name;
  if (is_pnm(bytes)) return "a PNM image";
  if (is_safetensors(bytes)) {
    return bytes.substr(0, 4096).find("adtr") != std::string_view::npos ? "an adtr model, or its weights"
                                                                        : "a file of weights (safetensors)";
  }
  // Text may begin with white space and a byte order mark.
  std::string text(bytes.substr(0, 256));
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  std::string_view start = text;
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  start.remove_prefix((std::min)(start.find_first_not_of(" \t\r\n"), start.size()));
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) return "an HTML page";
  if (start.starts_with("<svg")) return "an SVG drawing";
  if (start.starts_with("<?xml"))
    return start.find("<svg") != std::string_view::npos ? "an SVG drawing" : "an XML file";
  if (start.starts_with("{\"") || start.starts_with("[{")) return "a JSON file";
  // A file system may leave such a file after a power cut.
  if (std::all_of(file.begin(), file.end(), [](std::uint8_t byte) { return byte == 0; })) return "a file of zeros";
  return {};
}

}  // namespace detail
}  // namespace ADTR_ABI
}  // namespace adtr
