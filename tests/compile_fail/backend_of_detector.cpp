// first: constraint.* class .*Detector
// expect: .Backend
// expect: is_a_backend_such_as_adtr_Cpu
// most: 15
#include "adtr/detector.hpp"

#ifdef ADTR_COMPILE_FAIL_CONTROL
using Where = adtr::Cpu;
#else
using Where = int;
#endif

double score(const adtr::Image& image) { return adtr::Detector<Where>::load("part.adtr").detect(image).score; }
