/// A program's own stb, implemented with external linkage in a unit that includes adtr's before and after it.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_JPEG
#define STBI_MAX_DIMENSIONS 7
#if __has_include(<stb_image.h>)
#include <stb_image.h>
#else
#include <stb/stb_image.h>
#endif

#undef ADTR_EXTERN_KERNELS  // adtr's stb in this file, not in adtr::kernels
#include "adtr/data/image_file.hpp"

#if STBI_MAX_DIMENSIONS != 7 || !defined(STBI_NO_JPEG) || !defined(STB_IMAGE_IMPLEMENTATION)
#error "adtr changed the program's macros"
#endif

#define STB_IMAGE_WRITE_IMPLEMENTATION
#if __has_include(<stb_image_write.h>)
#include <stb_image_write.h>
#else
#include <stb/stb_image_write.h>
#endif

bool user_reads(const char* path);
bool user_reads(const char* path) {
  int w = 0;
  int h = 0;
  int channels = 0;
  stbi_uc* pixels = stbi_load(path, &w, &h, &channels, 0);
  stbi_image_free(pixels);
  return pixels != nullptr;
}

bool user_writes(const char* path);
bool user_writes(const char* path) { return stbi_write_png(path, 1, 1, 1, "x", 1) != 0; }

adtr::Image adtr_reads(const char* path);
adtr::Image adtr_reads(const char* path) { return adtr::read_image(path); }
