// expect: a layer expects another shape than the layer before it gives
// expect: MBConv
// expect: Extents<64, 64, 24>
// expect: Extents<64, 64, 32>
#include "adtr/nn/mbconv.hpp"
#include "adtr/nn/sequential.hpp"

using In = adtr::Extents<64, 64, 16>;
#ifdef ADTR_COMPILE_FAIL_CONTROL
constexpr adtr::Index given = 32;
#else
constexpr adtr::Index given = 24;
#endif
using First = adtr::MBConv<In, adtr::MBConvSpec{given}>;
using Second = adtr::MBConv<adtr::Extents<64, 64, 32>, adtr::MBConvSpec{32}>;
using Net = adtr::Sequential<adtr::Named<"0", First>, adtr::Named<"1", Second>>;

static_assert(Net::macs > 0);
