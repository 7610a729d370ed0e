// first: the taps of a Backbone must be in ascending order
// expect: ascending
// most: 15
#include "adtr/models/catalogue.hpp"

using Layers = adtr::ResNet18<adtr::ImageShape<32, 32>>::Layers;
#ifdef ADTR_COMPILE_FAIL_CONTROL
using Tapped = adtr::Backbone<Layers, 2, 4>;
#else
using Tapped = adtr::Backbone<Layers, 4, 2>;
#endif

adtr::Index channels() { return Tapped::channels; }
