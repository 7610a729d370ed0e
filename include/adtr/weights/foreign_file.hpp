/// Names the type of a file that was passed as weights or as a model but is neither, and says what to do with it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adtr/io/json_text.hpp"

namespace adtr {
inline namespace ADTR_ABI {

namespace detail {

inline constexpr std::string_view convert_advice = "; tools/convert_weights converts it to a safetensors file";

/// A file type by its first bytes. The sentence follows the file's name and "is ".
struct Signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
  std::string_view advice;
};

inline constexpr std::string_view no_weights = ", expected weights or a model";
inline constexpr std::string_view unpack_advice = ", expected weights or a model; unpack it first";
inline constexpr std::string_view other_framework =
    ", expected safetensors; tools/convert_weights converts weights from PyTorch only";

inline constexpr std::array<Signature, 25> signatures{{
    {0, "version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file itself",
     "; fetch it with git lfs pull"},
    {0, "\x89PNG\r\n\x1a\n", "a PNG image", no_weights},
    {0, "\xFF\xD8\xFF", "a JPEG image", no_weights},
    {0, "GIF8", "a GIF image", no_weights},
    {0, std::string_view("II*\0", 4), "a TIFF image", no_weights},
    {0, std::string_view("MM\0*", 4), "a TIFF image", no_weights},
    {8, "WEBP", "a WebP image", no_weights},
    {0, "%PDF-", "a PDF file", no_weights},
    {0, "\x7F\x45LF", "a program", no_weights},
    {0, "\x93NUMPY", "a NumPy array (.npy)", no_weights},
    {0, "\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it", other_framework},
    {4, "TFL3", "a TensorFlow Lite model", other_framework},
    {0, "\x08\x01\x12", "a TensorFlow model", other_framework},
    {0, "GGUF", "a GGUF file", other_framework},
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "a PyTorch file", convert_advice},
    {0, "\x80\x02", "a Python pickle, as old versions of PyTorch write it", convert_advice},
    {0, "\x80\x03", "a Python pickle", no_weights},
    {0, "\x80\x04", "a Python pickle", no_weights},
    {0, "\x80\x05", "a Python pickle", no_weights},
    {0, "\x1F\x8B", "a gzip archive", unpack_advice},
    {0, "\xFD\x37zXZ", "an xz archive", unpack_advice},
    {0, "BZh", "a bzip2 archive", unpack_advice},
    {0, "\x28\xB5\x2F\xFD", "a zstd archive", unpack_advice},
    {0, "7z\xBC\xAF\x27\x1C", "a 7-Zip archive", unpack_advice},
    {257, "ustar", "a tar archive", unpack_advice},
}};

[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// PyTorch, NumPy and Python wheels all use zip archives; the first file in the archive tells them apart.
[[nodiscard]] inline std::string zip_sentence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t length = text.size() < 30 ? 0 : byte(26) | byte(27) << 8;
  const std::string_view first = text.size() < 30 ? "" : text.substr(30, length);
  if (first.ends_with("data.pkl")) return "a PyTorch file" + std::string(convert_advice);
  if (first.ends_with(".npy")) return "a NumPy archive (.npz)" + std::string(no_weights);
  return "a zip archive; if it is a PyTorch file or a Python wheel that contains one, tools/convert_weights converts "
         "it "
         "to a safetensors file";
}

/// ONNX has no signature: a file begins with the format version (field number 1), then the name of the program that
/// wrote it.
[[nodiscard]] inline bool looks_like_onnx(std::string_view text) {
  if (text.size() < 16 || text[0] != '\x08' || text[1] < 2 || text[1] > 30 || text[2] != '\x12') return false;
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(text[3]));
  const std::string_view writer = text.substr(4, length);
  return length > 0 && length < 64 &&
         std::all_of(writer.begin(), writer.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

/// If the first bytes are text, quotes the first line, so that "404: Not Found" is visible.
[[nodiscard]] inline std::optional<std::string> text_sentence(std::string_view text) {
  std::string_view begin = text.substr(0, 256);
  // The cut at 256 bytes may split a character.
  for (int i = 0; i < 3 && begin.size() == 256 && find_invalid_utf8(begin) != std::string_view::npos; ++i)
    begin.remove_suffix(1);
  const auto control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  };
  if (find_invalid_utf8(begin) != std::string_view::npos || std::any_of(begin.begin(), begin.end(), control))
    return std::nullopt;
  const std::size_t start = begin.find_first_not_of(" \t\r\n");
  const std::string_view shown = start == std::string_view::npos ? "" : begin.substr(start);
  const std::string lower = lower_case(shown);
  if (lower.starts_with("<!doctype html") || lower.starts_with("<html"))
    return "an HTML page, perhaps from a failed download" + std::string(no_weights);
  if (lower.starts_with("<?xml")) return "an XML file, perhaps from a failed download" + std::string(no_weights);
  if (lower.starts_with("{") || lower.starts_with("[")) return "a JSON file" + std::string(no_weights);
  return "a text file that begins with " +
         quoted_for_message(shown.substr(0, std::min<std::size_t>(shown.find('\n'), 60))) + std::string(no_weights);
}

}  // namespace detail

/// Describes a file that cannot be a safetensors file, as a sentence without its subject: "is a PyTorch file; ...".
/// Returns nothing if the file may be one, or if its type is unknown.
[[nodiscard]] inline std::optional<std::string> foreign_file_sentence(std::span<const std::byte> file) {
  using namespace detail;
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  constexpr std::size_t header = 8;
  if (text.size() < 4) return std::nullopt;
  // A safetensors file begins with the length of its header, which is below 100 MB; the header begins with a brace.
  if (text.size() > header && text[header] == '{' && text.substr(4, 4) == std::string_view("\0\0\0\0", 4))
    return std::nullopt;
  for (const Signature& s : signatures)
    if (text.size() > s.at && text.substr(s.at).starts_with(s.bytes))
      return "is " + std::string(s.name) + std::string(s.advice);
  if (text.starts_with("PK\x03\x04")) return "is " + zip_sentence(text);
  if (looks_like_onnx(text)) return "is an ONNX model" + std::string(other_framework);
  if (text.ends_with("\x57\xFB\x80\x8B\x24\x75\x47\xDB"))
    return "is the index of a TensorFlow checkpoint" + std::string(other_framework);
  if (const auto sentence = text_sentence(text)) return "is " + *sentence;
  return std::nullopt;
}

}  // namespace ADTR_ABI
}  // namespace adtr
