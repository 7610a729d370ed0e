// first: a tap of a Backbone must be the number of one of its layers, which count from 0
// expect: CheckedTap<99, 5>
// most: 15
#include "adtr/models/catalogue.hpp"

using Layers = adtr::ResNet18<adtr::ImageShape<32, 32>>::Layers;
#ifdef ADTR_COMPILE_FAIL_CONTROL
using Tapped = adtr::Backbone<Layers, 2, 4>;
#else
using Tapped = adtr::Backbone<Layers, 2, 99>;
#endif

adtr::Index channels() { return Tapped::channels; }
