// flags: -I{here}/fake/xtl
// first: xtensor 0.24 and 0.25 need xtl 0.7; the one found is another
// expect: need xtl 0.7
// most: 15
#include "adtr/detector.hpp"

std::size_t rows(const adtr::Detection& d) { return d.map.shape(0); }
