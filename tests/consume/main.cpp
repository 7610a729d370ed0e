/// The program of every consumer project.
#include <cstdio>

#include "adtr/core/error.hpp"

int main() {
  try {
    throw adtr::file_error("part.png", "not an image");
  } catch (const adtr::Error& error) {
    std::printf("%s\n", error.what());
  }
}
