/// The layout of packed matrices, at each instruction set.
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "support/catch.hpp"

TEST_CASE("pack makes panels of sixteen columns of the transpose, zeros beyond the last") {
  const int threads = GENERATE(1, 3);
  const adtr::Cpu::Context context(threads, adtr::Oversubscribe::yes);
  for (const adtr::Index outputs : {1, 7, 16, 17, 40, 100})
    for (const adtr::Index inputs : {1, 5, 8, 16, 63, 64, 65, 130}) {
      const adtr::Index stride = inputs + 3;
      std::vector<float> w(static_cast<std::size_t>(outputs * stride));
      for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i + 1);
      adtr::Cpu::Packed packed;
      packed.resize(inputs, outputs);
      for (float& v : packed.values.span()) v = -1.0F;  // reused memory is not zero
      adtr::Cpu::pack(context, {w.data(), outputs, inputs, stride}, packed);
      bool right = packed.values.size() == packed.panels() * inputs * 16;
      for (adtr::Index p = 0; p < packed.panels(); ++p)
        for (adtr::Index k = 0; k < inputs; ++k)
          for (adtr::Index j = 0; j < 16; ++j) {
            const adtr::Index n = 16 * p + j;
            const float expected = n < outputs ? w[static_cast<std::size_t>(n * stride + k)] : 0.0F;
            right = right && packed.values.data()[(p * inputs + k) * 16 + j] == expected;
          }
      CHECK(right);
    }
}
