// first: constraint.* class .*FeatureExtractor
// expect: .Backend
// expect: is_a_backend_such_as_adtr_Cpu
// most: 15
#include "adtr/backend/cpu.hpp"
#include "adtr/models/catalogue.hpp"
#include "adtr/models/feature_extractor.hpp"

#ifdef ADTR_COMPILE_FAIL_CONTROL
using Where = adtr::Cpu;
#else
using Where = int;
#endif

using Net = adtr::Network<adtr::Architecture::resnet18, 32, 8>::type;

adtr::Index capacity(const adtr::FeatureExtractor<Net, Where>& extractor) { return extractor.capacity(); }
