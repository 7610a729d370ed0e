/// The program of every consumer project. It compiles and links everything that detection needs, but loads no model.
#include <cstdio>
#include <cstring>

#include <adtr/detector.hpp>

int main() {
  try {
    auto detector = adtr::Detector<adtr::Cpu>::load("no_such_model.adtr");
    std::printf("%f\n", detector.detect(adtr::read_image("no_such_image.png")).score);
  } catch (const adtr::Error& error) {
    std::printf("%s\n", error.what());
    return std::strstr(error.what(), "no_such_model.adtr") != nullptr ? 0 : 1;
  }
  return 1;
}
