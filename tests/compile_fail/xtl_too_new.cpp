// flags: -I{here}/fake/xtl
// first: adtr needs xtl 0.7; the one found is another
// expect: adtr needs
// most: 15
#include "adtr/detector.hpp"

std::size_t rows(const adtr::Detection& d) { return d.map.shape(0); }
