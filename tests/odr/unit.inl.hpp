/// What both units compile: a use of adtr whose inline functions would be shared, were they the same symbols. It takes
/// the Cpu backend's table of kernels, and with it every kernel of every instruction set.
#include <string>

#include "adtr/backend/cpu/dispatch.hpp"
#include "adtr/core/buffer.hpp"
#include "adtr/core/error.hpp"
#include "adtr/core/philox.hpp"

static float run() {
  adtr::Buffer<float> a(1000);
  float sum = static_cast<float>(adtr::current_isa());
  for (adtr::Index i = 0; i < a.size(); ++i) {
    a.data()[i] = static_cast<float>(adtr::philox({static_cast<std::uint32_t>(i), 0, 0, 0}, 1)[0] >> 16);
    sum += a.data()[i];
  }
  try {
    throw adtr::file_error("file", "sentence");
  } catch (const adtr::Error& error) {
    return sum + static_cast<float>(std::string(error.what()).size());
  }
}
