/// Tells whether adtr wrote a file: adtr replaces no other files.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "adtr/core/error.hpp"
#include "adtr/io/json.hpp"
#include "adtr/io/mapped_file.hpp"
#include "adtr/io/png_mark.hpp"
#include "adtr/weights/safetensors_header.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The kinds of file that adtr writes.
enum class FileKind : std::uint8_t {
  model,       ///< safetensors whose metadata has the format "adtr"
  checkpoint,  ///< safetensors whose metadata has the format "adtr-checkpoint"
  json,        ///< results: an object whose first member is "adtr", or the form of earlier versions
  page,        ///< HTML with `<meta name="generator" content="adtr...">` near its beginning
  heat_map,    ///< a PNG file that contains heat_map_software, see png_with_software()
  score_map    ///< a two-dimensional float32 NumPy array next to a heat map of the same name
};

/// The name in a sentence, such as "a model" in "a model that adtr wrote".
[[nodiscard]] constexpr std::string_view name_of(FileKind kind) {
  constexpr std::array<std::string_view, 6> names{"a model", "a checkpoint", "a JSON file",
                                                  "a page",  "a heat map",   "a score map"};
  return names[static_cast<std::size_t>(kind)];
}

/// The first member of the object; is_of_kind() recognises adtr's JSON by it.
inline constexpr std::string_view json_mark = "adtr";
/// is_of_kind() looks for this text in the first 4096 bytes of a page; the version may follow.
inline constexpr std::string_view page_mark = "<meta name=\"generator\" content=\"adtr";

namespace detail {

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline bool has_format(std::span<const std::byte> bytes, std::string_view format) {
  const SafetensorsHeader header = parse_safetensors(bytes, "");
  const auto it = header.metadata.find("format");
  return it != header.metadata.end() && it->second == format;
}

/// Whether the text begins with {"adtr": {... . Results are written as they arrive, so the rest may be missing.
[[nodiscard]] inline bool begins_as_own_json(std::string_view text) {
  const auto take = [&](std::string_view wanted) {
    text.remove_prefix((std::min)(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with(wanted)) return false;
    text.remove_prefix(wanted.size());
    return true;
  };
  return take("{") && take(json_quoted(json_mark)) && take(":") && take("{");
}

/// The keys of an object; its values are skipped.
[[nodiscard]] inline std::set<std::string> keys_of(JsonReader& json) {
  std::set<std::string> keys;
  json.object([&](const std::string& key) {
    keys.insert(key);
    json.skip_value();
  });
  return keys;
}

/// Whether the text is a result of detect, evaluate or train from a version that did not yet write json_mark.
[[nodiscard]] inline bool is_earlier_json(std::string_view text) {
  JsonReader json(text, "", "");
  const auto has = [](const std::set<std::string>& keys, std::initializer_list<const char*> wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const char* key) { return keys.contains(key); });
  };
  bool ours = false;
  if (json.next() == '[') {
    bool all = true;
    std::size_t items = 0;
    json.array([&] {
      ++items;
      all = has(keys_of(json), {"file", "score", "threshold", "seconds"}) && all;
    });
    ours = all && items > 0;
  } else {
    const std::set<std::string> keys = keys_of(json);
    ours = has(keys, {"images_good", "images_defective", "seconds_per_image", "reasons"}) ||
           has(keys, {"model", "recipe", "images_held_out", "seconds_features", "losses"});
  }
  json.end();
  return ours;
}

/// Whether the bytes are a two-dimensional float32 array in the NumPy file format, which xtensor also writes.
[[nodiscard]] inline bool is_float_matrix(std::span<const std::byte> bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  const std::string_view text = as_text(bytes);
  if (text.size() < 12 || !text.starts_with(magic)) return false;
  const bool first_version = text[6] == 1;
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t begin = first_version ? 10 : 12;
  const std::size_t length =
      first_version ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > text.size() - begin) return false;
  const std::string_view header = text.substr(begin, length);
  const std::size_t open = header.find('('), close = header.find(')');
  if (header.find("'<f4'") == std::string_view::npos || open == std::string_view::npos || close < open) return false;
  std::string_view shape = header.substr(open + 1, close - open - 1);
  shape = shape.substr(0, shape.find_last_of("0123456789") + 1);
  return std::count(shape.begin(), shape.end(), ',') == 1;
}

[[nodiscard]] inline bool bytes_are_of_kind(const std::filesystem::path& path, std::span<const std::byte> bytes,
                                            FileKind kind);

/// Whether a heat map of adtr lies next to the array. Without one the array may be the user's: the format is common.
[[nodiscard]] inline bool has_heat_map(const std::filesystem::path& score_map) {
  std::filesystem::path picture = score_map;
  picture.replace_extension(".png");
  return bytes_are_of_kind(picture, MappedFile(picture.string()).bytes(), FileKind::heat_map);
}

[[nodiscard]] inline bool bytes_are_of_kind(const std::filesystem::path& path, std::span<const std::byte> bytes,
                                            FileKind kind) {
  switch (kind) {
    case FileKind::model:
      return has_format(bytes, "adtr");
    case FileKind::checkpoint:
      return has_format(bytes, "adtr-checkpoint");
    case FileKind::json:
      return begins_as_own_json(as_text(bytes)) || is_earlier_json(as_text(bytes));
    case FileKind::page:
      return as_text(bytes).substr(0, 4096).find(page_mark) != std::string_view::npos;
    case FileKind::heat_map:
      return png_software(bytes) == heat_map_software;
    case FileKind::score_map:
      return is_float_matrix(bytes) && has_heat_map(path);
  }
  return false;
}

}  // namespace detail

/// Whether the file at `path` is of this kind and adtr wrote it. An empty file counts as every kind, because mktemp
/// creates empty files. A file that cannot be read, or is too short to tell, counts as none. Never throws Error.
[[nodiscard]] inline bool is_of_kind(const std::filesystem::path& path, FileKind kind) {
  try {
    const MappedFile file(path.string());
    return file.bytes().empty() || detail::bytes_are_of_kind(path, file.bytes(), kind);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace ADTR_ABI
}  // namespace adtr
