/// Image files: reads PNG, JPEG and BMP, writes PNG. Every error names the file and says in one sentence what is wrong.
#pragma once

#include <filesystem>
#include <string_view>

#include "adtr/core/extents.hpp"
#include "adtr/data/image.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// What an image file says about itself.
struct ImageHeader {
  std::string_view format;  ///< "PNG", "JPEG" or "BMP"
  Index height = 0;         ///< of the upright image, as read_image returns it
  Index width = 0;
  int orientation = 1;  ///< the tag that read_image applies, 1 to 8; 1 if the file has none
};

/// Reads the properties of an image without decoding its pixels. The whole file is read, and a PNG's chunks are
/// verified. Error: as read_image, except for damage that only decoding shows.
[[nodiscard]] ImageHeader read_image_header(const std::filesystem::path& path);

/// Reads a PNG, JPEG or BMP file as 8-bit RGB, upright. As in Pillow's convert("RGB"), grey is repeated in the three
/// channels, an alpha channel is dropped (not blended), and palettes are resolved. The camera's orientation is applied
/// as viewers, OpenCV and Pillow's exif_transpose do: tag 0x0112 in the Exif block of a JPEG (APP1) or a PNG (eXIf). If
/// the tag is missing, damaged or not a number from 1 to 8, the pixels keep their stored order. (The copy of the tag in
/// XMP is ignored.) CMYK is read as Adobe stores it, with or without Adobe's marker. For an animated PNG the still
/// image is read. Bytes after the end of the image are ignored. 16-bit values are reduced to their upper byte (v >> 8,
/// as libpng and Pillow do for colour): if a camera stores 12 bits in the low bits of 16, the caller must scale them,
/// see ImageView.
///
/// Damage is refused where it can be detected. PNG: the checksums of the chunks and of the pixels show any change. JPEG
/// has no checksum: a truncated file, coded data that ends before the image or continues after it, and impossible codes
/// are detected; a changed bit that leaves the decoder in step is not, see jpeg_scans.hpp. BMP: only a file that is too
/// short or an impossible header is detected.
///
/// Error: file_missing (no such file, a link to nothing, an empty path), file_unreadable (no permission, a loop of
/// links, a folder, a pipe or a device), bad_image (empty, of another format, truncated, damaged, without pixels, more
/// than 2^28 pixels), no_resources (too little memory).
///
/// If `header` is not null, it receives what read_image_header() returns.
[[nodiscard]] Image read_image(const std::filesystem::path& path, ImageHeader* header = nullptr);

/// Reads a mask, upright as read_image does: 255 where it marks a defect, otherwise 0. The largest of the three colours
/// decides, at 8 or 16 bits. See mask_rule() for the values that mark a defect, and for when Mask::soft is set. Error:
/// as read_image; bad_data if it is unclear what the mask marks (see mask_rule()), or if its colours are constant while
/// its alpha channel is not.
[[nodiscard]] Mask read_mask(const std::filesystem::path& path);

/// Writes an RGB PNG atomically: after a failure, `path` holds what it held before. If `software` is not empty, the
/// file names it as the program that wrote it. Error: file_unwritable, shape (an image whose size and pixels disagree).
void write_png(const std::filesystem::path& path, const ImageView& view, std::string_view software = {});
inline void write_png(const std::filesystem::path& path, const Image& image, std::string_view software = {}) {
  write_png(path, ImageView(image), software);
}
inline void write_png(const std::filesystem::path& path, const Mask& mask) { write_png(path, ImageView(mask)); }

}  // namespace ADTR_ABI
}  // namespace adtr

#if !defined(ADTR_EXTERN_KERNELS)
#include "adtr/data/image_file.inl.hpp"
#endif
