// flags: -I{here}/fake/old
// first: adtr needs xtensor 0.24 to 0.27; the one found is another
// expect: adtr needs
// most: 15
#include "adtr/detector.hpp"

std::size_t rows(const adtr::Detection& d) { return d.map.shape(0); }
