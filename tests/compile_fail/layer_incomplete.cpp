// A layer of a Sequential whose forward() is not const.
// expect: a layer of a Sequential lacks something that every layer has: see adtr/nn/layer.hpp
// expect: forward
// most: 60
#include "adtr/nn/sequential.hpp"

#ifdef ADTR_COMPILE_FAIL_CONTROL
#define MAYBE_CONST const
#else
#define MAYBE_CONST
#endif

struct Identity {
  using Input = adtr::Extents<4, 4, 8>;
  using Output = Input;
  static constexpr adtr::Index macs = 0;
  template <class T>
  struct Parameters {
    template <class V>
    static constexpr void each(Parameters&, V&) {}
  };
  template <adtr::Backend B>
  struct Weights {
    using In = adtr::MapIn<B>;
    using Out = adtr::MapOut<B>;
    void prepare(const adtr::Preparation<B>&, const Parameters<typename B::Scalar>&) {}
    void forward(const adtr::Pass<B>&, In, Out, adtr::Arena<typename B::Scalar>&) MAYBE_CONST {}
  };
};

static_assert(adtr::Sequential<adtr::Named<"identity", Identity>>::size == 1);
