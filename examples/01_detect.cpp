/// The smallest program that detects anomalies with a trained model.
///
///     adtr train --data DIR --backbone WEIGHTS --out part.adtr    (or 02_train.cpp)
///     01_detect part.adtr part.png
///
/// Exit status: 0 good, 1 anomalous, 2 wrong usage, 3 undecided or failed. Only 0 lets a part pass.
#include <cstdio>

#include <adtr/core/number_text.hpp>
#include <adtr/detector.hpp>

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fputs("usage: 01_detect MODEL IMAGE\n", stderr);
    return 2;
  }
  // The file contains the backbone, the geometry, the threshold and the preprocessing.
  auto detector = adtr::Detector<adtr::Cpu>::load(argv[1]);
  const adtr::Detection d = detector.detect(adtr::read_image(argv[2]));
  const std::string score = adtr::number_text(d.score);  // d.map: xt::xtensor<float, 2>, raw scores
  switch (d.verdict) {
    case adtr::Verdict::good:
      std::printf("OK %s\n", score.c_str());
      return 0;
    case adtr::Verdict::anomalous:
      std::printf("NG %s\n", score.c_str());
      return 1;
    case adtr::Verdict::undecided:
      break;
  }
  std::printf("?? %s\n", score.c_str());
  std::fputs("The model has no threshold, so the part is undecided: train with more good images, or set one.\n",
             stderr);
  return 3;
} catch (const adtr::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
