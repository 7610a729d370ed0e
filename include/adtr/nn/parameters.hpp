/// One list of parameters per layer, and what walks it.
///
/// A layer's `Parameters<T>` is a struct of pointers into flat memory with one static function
/// `each(self, visit)` that names its tensors in order:
///
///     visit("weight", self.weight, Shape{out, in});                       a tensor
///     visit(Folded{"conv_pw", "bn1"}, self.weight, self.bias, shape);     a convolution with its batch norm folded in
///     visit("self_attn", self.self_attn);                                 another layer (or std::array of layers)
///
/// Counting, binding to memory, loading, saving, initialising and comparing all go through that one list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// The shape of a parameter tensor in files (PyTorch's order), up to four dimensions.
struct Shape {
  std::array<Index, 4> sizes{};
  int rank = 0;

  constexpr Shape() = default;
  template <std::convertible_to<Index>... Sizes>
  explicit constexpr Shape(Sizes... s) : sizes{static_cast<Index>(s)...}, rank(sizeof...(Sizes)) {}

  [[nodiscard]] constexpr Index size() const {
    Index product = 1;
    for (int i = 0; i < rank; ++i) product *= sizes[static_cast<std::size_t>(i)];
    return product;
  }
  constexpr bool operator==(const Shape&) const = default;
};

/// The names of a convolution and of the batch norm after it. In memory, folding gives a weight in the backend's order
/// — (out, ky, kx, in), or (ky, kx, channel) if `depthwise` — and a bias. `norm` is null for a convolution with its own
/// bias.
struct Folded {
  const char* convolution;
  const char* norm;
  bool depthwise = false;
};

namespace detail {

/// Calls leaf.tensor(path, data, shape) and leaf.folded(path, folded, weight, bias, shape) with the full path of each
/// tensor; the leaf may change the pointers.
/// The leaf's type is erased, so every `each` is compiled once, not once per kind of leaf, which made up a third of a
/// program's code.
class Walk {
 public:
  template <class Leaf>
  Walk(Leaf& leaf, std::string path)
      : leaf_(&leaf), float_(calls<Leaf, float>()), double_(calls<Leaf, double>()), path_(std::move(path)) {}

  void operator()(const char* name, float*& data, const Shape& shape) { tensor(float_, name, data, shape); }
  void operator()(const char* name, double*& data, const Shape& shape) { tensor(double_, name, data, shape); }
  void operator()(const Folded& names, float*& weight, float*& bias, const Shape& shape) {
    float_.folded(leaf_, path_, names, weight, bias, shape);
  }
  void operator()(const Folded& names, double*& weight, double*& bias, const Shape& shape) {
    double_.folded(leaf_, path_, names, weight, bias, shape);
  }
  template <class P>
  requires std::is_class_v<P>
  void operator()(const char* name, P& child) {
    const std::size_t outer = enter(name);
    P::each(child, *this);
    path_.resize(outer);
  }
  template <class P, std::size_t N>
  void operator()(const char* name, std::array<P, N>& children, std::size_t first = 0) {
    const std::size_t outer = enter(name);
    for (P& child : children) {
      const std::size_t inner = enter(std::to_string(first++).c_str());
      P::each(child, *this);
      path_.resize(inner);
    }
    path_.resize(outer);
  }

 private:
  template <class T>
  struct Calls {
    void (*tensor)(void* leaf, const std::string& name, T*& data, const Shape&) = nullptr;
    void (*folded)(void* leaf, const std::string& path, const Folded&, T*& weight, T*& bias, const Shape&) = nullptr;
  };

  /// Returns the leaf's functions. A function that the leaf lacks is null: such a leaf walks no parameters of that
  /// kind.
  template <class Leaf, class T>
  static constexpr Calls<T> calls() {
    Calls<T> result;
    if constexpr (requires(Leaf & leaf, T * &data) { leaf.tensor(std::string(), data, Shape()); })
      result.tensor = [](void* leaf, const std::string& name, T*& data, const Shape& shape) {
        static_cast<Leaf*>(leaf)->tensor(name, data, shape);
      };
    if constexpr (requires(Leaf & leaf, T * &data) { leaf.folded(std::string(), Folded(), data, data, Shape()); })
      result.folded = [](void* leaf, const std::string& path, const Folded& names, T*& weight, T*& bias,
                         const Shape& shape) { static_cast<Leaf*>(leaf)->folded(path, names, weight, bias, shape); };
    return result;
  }

  template <class T>
  void tensor(const Calls<T>& calls, const char* name, T*& data, const Shape& shape) {
    calls.tensor(leaf_, path_ + name, data, shape);
  }

  /// Appends a name to the path and returns the previous length.
  [[gnu::noinline]] std::size_t enter(const char* name) {
    const std::size_t outer = path_.size();
    if (*name != '\0') path_.append(name) += '.';
    return outer;
  }

  void* leaf_;
  Calls<float> float_;
  Calls<double> double_;
  std::string path_;
};

/// Points every tensor at the next piece of flat memory; with null memory it only counts elements.
template <class T>
struct Bind {
  T* data = nullptr;
  Index used = 0;

  constexpr void take(T*& pointer, Index size) {
    pointer = data == nullptr ? nullptr : data + used;
    used += size;
  }
  constexpr void operator()(const char*, T*& pointer, const Shape& shape) { take(pointer, shape.size()); }
  constexpr void operator()(const Folded&, T*& weight, T*& bias, const Shape& shape) {
    take(weight, shape.size());
    take(bias, shape.sizes[0]);
  }
  template <class P>
  requires std::is_class_v<P>
  constexpr void operator()(const char*, P& child) { P::each(child, *this); }
  template <class P, std::size_t N>
  constexpr void operator()(const char*, std::array<P, N>& children, std::size_t = 0) {
    for (P& child : children) P::each(child, *this);
  }
};

}  // namespace detail

/// A layer's parameters with elements of type T.
template <class L, class T>
using ParametersOf = typename L::template Parameters<T>;

/// Number of parameter elements of a layer (of type ParametersOf<Layer, float>).
template <class Layer>
inline constexpr Index parameter_count = [] {
  ParametersOf<Layer, float> parameters{};
  detail::Bind<float> bind;
  decltype(parameters)::each(parameters, bind);
  return bind.used;
}();

/// Binds a layer's parameters to `data`, which holds parameter_count<Layer> elements in the order of its list.
template <class Layer, class T>
[[nodiscard]] ParametersOf<Layer, T> bind_parameters(T* data) {
  ParametersOf<Layer, T> parameters{};
  detail::Bind<T> bind{data};
  decltype(parameters)::each(parameters, bind);
  return parameters;
}

/// Is notified of each part of a network before it is packed, so that a loader can prepare that part's values and
/// release those of the previous part.
class PartListener {
 public:
  /// A listener that does nothing.
  PartListener() = default;
  /// Forwards to `leaf`: first next_part(), then every tensor as in walk_parameters, with names without a prefix.
  template <class Leaf>
  explicit PartListener(Leaf& leaf)
      : leaf_(&leaf),
        next_part_([](void* l) { static_cast<Leaf*>(l)->next_part(); }),
        walk_([](void* l) { return detail::Walk(*static_cast<Leaf*>(l), ""); }) {}

  template <class P>
  void next(P part) const {
    if (leaf_ == nullptr) return;
    next_part_(leaf_);
    detail::Walk walk = walk_(leaf_);
    P::each(part, walk);
  }

 private:
  void* leaf_ = nullptr;
  void (*next_part_)(void*) = nullptr;
  detail::Walk (*walk_)(void*) = nullptr;
};

/// Calls leaf.tensor and leaf.folded for every tensor in the order of the list, with `prefix` before each name.
template <class P, class Leaf>
void walk_parameters(P& parameters, const std::string& prefix, Leaf&& leaf) {
  detail::Walk walk(leaf, prefix);
  P::each(parameters, walk);
}

}  // namespace ADTR_ABI
}  // namespace adtr
