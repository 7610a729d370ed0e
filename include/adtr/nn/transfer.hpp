/// Transfers between the host's memory and the backend's; copies nothing if they are the same.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adtr/backend/backend.hpp"
#include "adtr/core/buffer.hpp"
#include "adtr/nn/parameters.hpp"

namespace adtr {
inline namespace ADTR_ABI {

/// Returns a backend-readable pointer to n elements: `host` itself, or a copy in `room`, which grows as needed.
template <Backend B>
[[nodiscard]] const typename B::Scalar* to_device(const typename B::Context& context, const typename B::Scalar* host,
                                                  Index n, [[maybe_unused]] typename B::Memory& room) {
  if constexpr (B::on_host) {
    return host;
  } else {
    if (room.size() < n) room = typename B::Memory(n);
    B::upload(context, host, n, room.data());
    B::wait(context);
    return room.data();
  }
}

/// Calls `write(memory)`, a backend operation, so that its n elements end up at `host`: directly, or through `room` and
/// a download.
template <Backend B, class F>
void read_back(const typename B::Context& context, typename B::Scalar* host, Index n,
               [[maybe_unused]] typename B::Memory& room, F&& write) {
  if constexpr (B::on_host) {
    write(host);
  } else {
    if (room.size() < n) room = typename B::Memory(n);
    write(room.data());
    B::download(context, room.data(), n, host);
    B::wait(context);
  }
}

/// The backend's copy of a host Buffer, on which operations work; empty if the backend works in the host's memory.
template <Backend B>
class Twin {
 public:
  using T = typename B::Scalar;
  explicit Twin(Index size) : memory_(B::on_host ? 0 : size) {}

  [[nodiscard]] T* data(Buffer<T>& host) {
    if constexpr (B::on_host) return host.data();
    return memory_.data();
  }
  void push(const typename B::Context& context, const Buffer<T>& host) {
    if constexpr (!B::on_host) {
      B::upload(context, host.data(), host.size(), memory_.data());
      B::wait(context);
    }
  }
  void pull(const typename B::Context& context, Buffer<T>& host) const {
    if constexpr (!B::on_host) {
      B::download(context, memory_.data(), host.size(), host.data());
      B::wait(context);
    }
  }

 private:
  typename B::Memory memory_;
};

namespace detail {
/// The tensors of a layer in the order of its list.
template <class T>
struct TensorList {
  std::vector<std::pair<T*, Index>> tensors;
  void tensor(const std::string&, T*& data, const Shape& shape) { tensors.emplace_back(data, shape.size()); }
  void folded(const std::string&, const Folded&, T*& weight, T*& bias, const Shape& shape) {
    tensors.emplace_back(weight, shape.size());
    tensors.emplace_back(bias, shape.sizes[0]);
  }
};
}  // namespace detail

/// Makes a layer's host parameters readable for the backend: the host's own, or a copy in the backend's memory.
template <class Layer, Backend B>
class ParametersOn {
 public:
  using T = typename B::Scalar;
  using Parameters = ParametersOf<Layer, T>;

  ParametersOn([[maybe_unused]] const typename B::Context& context, const Parameters& host) : parameters_(host) {
    if constexpr (!B::on_host) {
      memory_ = typename B::Memory(parameter_count<Layer>);
      parameters_ = bind_parameters<Layer>(memory_.data());
      Parameters from = host;
      detail::TensorList<T> theirs, ours;
      walk_parameters(from, "", theirs);
      walk_parameters(parameters_, "", ours);
      for (std::size_t i = 0; i < ours.tensors.size(); ++i)
        B::upload(context, theirs.tensors[i].first, ours.tensors[i].second, ours.tensors[i].first);
      B::wait(context);
    }
  }
  [[nodiscard]] const Parameters& get() const { return parameters_; }

 private:
  typename B::Memory memory_;
  Parameters parameters_;
};

}  // namespace ADTR_ABI
}  // namespace adtr
