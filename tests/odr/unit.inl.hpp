/// Both units compile this. It uses inline functions of adtr that the units would share if they were the same symbols.
#include <string>

#include "adtr/core/philox.hpp"
#include "adtr/data/image_file.hpp"
#include "adtr/detector.hpp"

static float run() {
  adtr::Buffer<float> a(1000);
  float sum = static_cast<float>(adtr::current_isa());
  for (adtr::Index i = 0; i < a.size(); ++i) {
    a.data()[i] = static_cast<float>(adtr::philox({static_cast<std::uint32_t>(i), 0, 0, 0}, 1)[0] >> 16);
    sum += a.data()[i];
  }
  try {
    auto detector = adtr::Detector<adtr::Cpu>::load("no_such_model.adtr");
    sum += static_cast<float>(detector.detect(adtr::read_image("no_such_image.png")).score);
  } catch (const adtr::Error& error) {
    sum += static_cast<float>(std::string(error.what()).size());
  }
  return sum;
}
