/// A program on adtr::runtime; there is no model to load. It gets no package that the headers of adtr need.
#include <cstdio>
#include <cstring>

#include <adtr/runtime.hpp>

int main() {
  try {
    auto detector = adtr::runtime::Detector::load("no_such_model.adtr");
    std::printf("%f\n", detector.detect_file("no_such_image.png").score);
  } catch (const adtr::Error& error) {
    std::printf("%s\n", error.what());
    const bool right = error.code() == adtr::ErrorCode::file_missing;
    return right && std::strstr(error.what(), "no_such_model.adtr") != nullptr ? 0 : 1;
  }
  return 1;
}
