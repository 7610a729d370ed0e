/// A small file of each kind that adtr writes.
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "adtr/data/image_file.hpp"
#include "adtr/io/file_kind.hpp"
#include "adtr/weights/safetensors_writer.hpp"
#include "weights/temporary.hpp"

inline constexpr std::array<adtr::FileKind, 6> all_kinds{adtr::FileKind::model,    adtr::FileKind::checkpoint,
                                                         adtr::FileKind::json,     adtr::FileKind::page,
                                                         adtr::FileKind::heat_map, adtr::FileKind::score_map};

/// A file in NumPy's format, version 1, with this header and `bytes` zero bytes.
inline std::string npy(std::string header, std::size_t bytes) {
  header.resize(118 - 1, ' ');
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() + 1) + '\0' + header + '\n' +
         std::string(bytes, '\0');
}

/// For a score map, also writes the heat map next to it.
inline void write_of_kind(const std::string& path, adtr::FileKind kind) {
  switch (kind) {
    case adtr::FileKind::model:
      return adtr::write_safetensors(path, {}, {{"format", "adtr"}});
    case adtr::FileKind::checkpoint:
      return adtr::write_safetensors(path, {}, {{"format", "adtr-checkpoint"}});
    case adtr::FileKind::json:
      return write_whole(path, R"({"adtr": {"version": "1.0", "command": "detect"}, "images": []})");
    case adtr::FileKind::page:
      return write_whole(path, "<!DOCTYPE html><html><head>" + std::string(adtr::page_mark) + " 1.0\"></head></html>");
    case adtr::FileKind::heat_map: {
      adtr::write_png(path, adtr::Image(2, 2));
      const std::string plain = read_whole(path);
      const auto bytes = adtr::png_with_software(std::as_bytes(std::span(plain.data(), plain.size())));
      return write_whole(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    case adtr::FileKind::score_map: {
      write_of_kind(std::filesystem::path(path).replace_extension(".png").string(), adtr::FileKind::heat_map);
      return write_whole(path, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 16));
    }
  }
}
