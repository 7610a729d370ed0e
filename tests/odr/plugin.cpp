/// A plugin that uses adtr inside: check_versions.py builds it with two versions of the library.
#include <numeric>

#include "adtr/core/buffer.hpp"

// The plugin's only public symbols are C functions, so that its host does not depend on the version of adtr.
extern "C" double ADTR_PLUGIN_FUNCTION() {
  adtr::Buffer<float> values(1000);
  std::iota(values.span().begin(), values.span().end(), 1.0F);
  adtr::Buffer<float> moved(std::move(values));
  values = std::move(moved);
  return std::accumulate(values.span().begin(), values.span().end(), 0.0);
}
