// flags: -I{here}/fake/moved
// first: xtensor 0.26 and 0.27 need xtl 0.8; the one found is another
// expect: need xtl 0.8
// most: 15
#include "adtr/detector.hpp"

std::size_t rows(const adtr::Detection& d) { return d.map.shape(0); }
