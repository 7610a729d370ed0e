/// What a layer is. docs/extending.md shows one from beginning to end.
///
/// A layer is a type without data, with two nested templates:
///
/// - `Parameters<T>`: pointers into flat memory and their list; see nn/parameters.hpp.
/// - `Weights<B>`: the parameters as backend B wants them, and what is computed with them:
///
///       using In = …; using Out = …;      what the layer reads and writes: MatrixIn<B>, MatrixOut<B>, MapIn<B>, …
///       void prepare(const Preparation<B>& how, const ParametersOf<L, T>& p);
///       Kept forward(const Pass<B>& pass, In x, Out y, Arena<T>& arena) const;
///
/// `forward` computes y from x, and takes the memory that it needs from the arena. Layers are called from the outside
/// in, so each needs to know only its own sizes; the size of the whole is measured by running the same code on the
/// backend `Measuring`.
///
/// A layer that is trained also has
///
///       struct Kept { … };                what forward() leaves in the arena for backward(), in Mode::training
///       using InGradient = …;             where the gradient of x goes
///       void backward(const Pass<B>& pass, In x, const Kept& kept, MatrixIn<B> dy,
///                     const ParametersOf<L, T>& gradient, InGradient dx, Arena<T>& arena) const;
///
/// `backward` writes dx, adds to `gradient` and returns all memory that it took.
#pragma once

#include "adtr/backend/measuring.hpp"
#include "adtr/nn/pass.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// A layer's weights on backend B.
template <class L, Backend B>
using WeightsOf = typename L::template Weights<B>;

namespace detail {
using AnyBackend = Measuring<>;
using AnyScalar = AnyBackend::Scalar;

template <class L>
concept HasParameters = requires(ParametersOf<L, AnyScalar>& p, Bind<AnyScalar>& visit) {
  ParametersOf<L, AnyScalar>::each(p, visit);
};
template <class L>
concept HasWeights = requires(WeightsOf<L, AnyBackend>& w, const Preparation<AnyBackend>& how,
                              const ParametersOf<L, AnyScalar>& p) {
  typename WeightsOf<L, AnyBackend>::In;
  typename WeightsOf<L, AnyBackend>::Out;
  w.prepare(how, p);
};
}  // namespace detail

/// A type that has everything listed above but the gradient.
template <class L>
concept Layer = detail::HasParameters<L> && detail::HasWeights<L> &&
    requires(const WeightsOf<L, detail::AnyBackend>& w, const Pass<detail::AnyBackend>& pass,
             typename WeightsOf<L, detail::AnyBackend>::In x, typename WeightsOf<L, detail::AnyBackend>::Out y,
             Arena<detail::AnyScalar>& arena) {
  w.forward(pass, x, y, arena);
};

/// A layer that is trained.
template <class L>
concept TrainableLayer = Layer<L> &&
    requires(const WeightsOf<L, detail::AnyBackend>& w, const Pass<detail::AnyBackend>& pass,
             typename WeightsOf<L, detail::AnyBackend>::In x, typename WeightsOf<L, detail::AnyBackend>::Out y,
             const typename WeightsOf<L, detail::AnyBackend>::Kept& kept, MatrixIn<detail::AnyBackend> dy,
             const ParametersOf<L, detail::AnyScalar>& gradient,
             typename WeightsOf<L, detail::AnyBackend>::InGradient dx, Arena<detail::AnyScalar>& arena) {
  { w.forward(pass, x, y, arena) } -> std::same_as<typename WeightsOf<L, detail::AnyBackend>::Kept>;
  w.backward(pass, x, kept, dy, gradient, dx, arena);
};

/// The number of elements that forward() takes from its arena on backend B, for views x and y of the sizes of the real
/// ones, which may point to detail::no_memory().
template <class L, Backend B>
[[nodiscard]] Index measure_forward(Mode mode, const typename WeightsOf<L, Measuring<B>>::In& x,
                                    const typename WeightsOf<L, Measuring<B>>::Out& y) {
  const typename Measuring<B>::Context context;
  const WeightsOf<L, Measuring<B>> weights;
  Arena<typename B::Scalar> counting;
  static_cast<void>(weights.forward({context, mode}, x, y, counting));
  return counting.peak();
}

/// The same for forward() and then backward(), for a layer that reads and writes matrices and whose input needs no
/// gradient.
template <class L, Backend B>
[[nodiscard]] Index measure_training(const Dropout& dropout, MatrixIn<B> x, MatrixIn<B> y) {
  using T = typename B::Scalar;
  const typename Measuring<B>::Context context;
  const Pass<Measuring<B>> pass{context, Mode::training, dropout};
  const WeightsOf<L, Measuring<B>> weights;
  Arena<T> counting;
  const auto kept = weights.forward(pass, x, MatrixOut<B>(detail::no_memory<T>(), y.rows, y.cols), counting);
  weights.backward(pass, x, kept, y, bind_parameters<L>(detail::no_memory<T>()), {}, counting);
  return counting.peak();
}

}  // namespace ADTR_ABI
}  // namespace adtr
