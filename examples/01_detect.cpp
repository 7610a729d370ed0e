/// Detects with a trained model: the least that a program needs.
///
///     adtr train --data DIR --backbone WEIGHTS --out part.adtr --hold-out 0.1    (or 02_train.cpp)
///     01_detect part.adtr part.png
#include <cstdio>

#include <adtr/detector.hpp>

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fputs("usage: 01_detect MODEL IMAGE\n", stderr);
    return 2;
  }
  // Backbone, geometry, threshold and preprocessing all come from the file.
  auto detector = adtr::Detector<adtr::Cpu>::load(argv[1]);
  const adtr::Detection d = detector.detect(adtr::read_image(argv[2]));
  std::printf("%s %.3f\n", d.anomalous ? "NG" : "OK", d.score);  // d.map: xt::xtensor<float, 2>, raw scores
  return 0;
} catch (const adtr::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
