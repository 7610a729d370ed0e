/// CUDA: owners of streams, events, and memory of the GPU.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <span>
#include <type_traits>

#include "adtr/backend/cuda/device/check.cuh"
#include "adtr/core/extents.hpp"

namespace adtr {
inline namespace ADTR_ABI {
namespace cuda::device {

/// A stream: runs kernels and copies in the order in which they are issued.
class Stream {
 public:
  Stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    stream_.reset(stream);
  }
  [[nodiscard]] cudaStream_t get() const { return stream_.get(); }
  /// Waits for everything that was issued. Throws CudaError if any of it failed.
  void wait() const { check(cudaStreamSynchronize(get()), "cudaStreamSynchronize"); }

 private:
  struct Destroy {
    void operator()(cudaStream_t stream) const { static_cast<void>(cudaStreamDestroy(stream)); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, Destroy> stream_;
};

/// An event in a stream. Until it is recorded, waiting for it returns at once.
class Event {
 public:
  Event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    event_.reset(event);
  }
  void record(const Stream& stream) { check(cudaEventRecord(event_.get(), stream.get()), "cudaEventRecord"); }
  /// Waits for everything that was issued before the event was recorded.
  void wait() const { check(cudaEventSynchronize(event_.get()), "cudaEventSynchronize"); }

 private:
  struct Destroy {
    void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, Destroy> event_;
};

/// `size` elements in the GPU's memory, initially zero. Movable, not copyable. If the GPU is out of memory, throws
/// CudaError with the requested size.
template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(Index size) : size_(size) {
    if (size == 0) return;
    void* memory = nullptr;
    check_memory(cudaMalloc(&memory, bytes(size)), "cudaMalloc", bytes(size));
    data_.reset(static_cast<T*>(memory));
    check(cudaMemset(memory, 0, bytes(size)), "cudaMemset");
    // The zeros are written in the default stream, which non-blocking streams do not wait for.
    check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
  }

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] Index size() const { return size_; }

  /// Copies from the host (write) or to it (read), after all work issued to the stream; returns when done.
  void write(const Stream& stream, std::span<const T> from) {
    check(cudaMemcpyAsync(data(), from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream.get()),
          "cudaMemcpyAsync");
    stream.wait();
  }
  void read(const Stream& stream, std::span<T> to) const {
    check(cudaMemcpyAsync(to.data(), data(), to.size_bytes(), cudaMemcpyDeviceToHost, stream.get()), "cudaMemcpyAsync");
    stream.wait();
  }

 private:
  static_assert(std::is_arithmetic_v<T>, "a DeviceBuffer holds numbers");
  [[nodiscard]] static std::size_t bytes(Index size) { return adtr::detail::bytes_of(size, sizeof(T)); }
  struct Free {
    void operator()(T* p) const { static_cast<void>(cudaFree(p)); }
  };
  std::unique_ptr<T[], Free> data_;
  Index size_ = 0;
};

/// `size` floats in pinned host memory, which the GPU accesses directly, so that copies need no staging buffer.
class PinnedBuffer {
 public:
  explicit PinnedBuffer(Index size) {
    if (size == 0) return;
    void* memory = nullptr;
    const std::size_t bytes = adtr::detail::bytes_of(size, sizeof(float));
    check_memory(cudaMallocHost(&memory, bytes), "cudaMallocHost", bytes);
    data_.reset(static_cast<float*>(memory));
  }
  [[nodiscard]] float* data() { return data_.get(); }
  [[nodiscard]] const float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { static_cast<void>(cudaFreeHost(p)); }
  };
  std::unique_ptr<float[], Free> data_;
};

}  // namespace cuda::device
}  // namespace ADTR_ABI
}  // namespace adtr
