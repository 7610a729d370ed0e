/// Times every kernel of the Cpu backend on one thread, at the shapes that EfficientNet-B4, B0, Lite0 and the
/// transformer use, and compares it with the machine's peak: fused multiply-adds in registers, measured in the same
/// run.
///
///     kernels --benchmark_filter=multiply
///
/// `GFLOP/s` counts the useful operations; `peak_%` is their share of the peak. ADTR_FORCE_ISA chooses the kernels.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>
#include <vector>

#include "adtr/backend/cpu.hpp"
#include "peak.hpp"

namespace {

using adtr::Activation;
using adtr::Cpu;
using adtr::Index;
using ConstMatrix = adtr::MatrixView<const float>;
using Matrix = adtr::MatrixView<float>;
using ConstMap = adtr::MapView<const float>;
using Map = adtr::MapView<float>;

const Cpu::Context& one_thread() {
  static const Cpu::Context context(1);
  return context;
}

std::vector<float> random_values(Index n) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& x : values) x = normal(generator);
  return values;
}

double peak() {
  static const double value = [] {
    adtr_benchmark::Peak samples;
    for (int i = 0; i < 20; ++i) samples.sample();
    return samples.gflops();
  }();
  return value;
}

/// Reports the rate of a benchmark with this number of operations per round.
void report(benchmark::State& state, double operations) {
  const double total = operations * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate);
  if (peak() > 0.0)
    state.counters["peak_%"] = benchmark::Counter(100.0 * total / 1e9 / peak(), benchmark::Counter::kIsRate);
}

/// Arguments: rows, inputs, outputs, activation.
void multiply(benchmark::State& state) {
  const Index rows = state.range(0), inputs = state.range(1), outputs = state.range(2);
  const auto a = random_values(rows * inputs), w = random_values(outputs * inputs), bias = random_values(outputs);
  auto c = random_values(rows * outputs);
  Cpu::Packed packed;
  Cpu::pack(one_thread(), ConstMatrix(w.data(), outputs, inputs), packed);
  const adtr::Epilogue<float> epilogue{bias.data(), {}, static_cast<Activation>(state.range(3))};
  for (auto _ : state)
    Cpu::multiply(one_thread(), ConstMatrix(a.data(), rows, inputs), packed, epilogue, Matrix(c.data(), rows, outputs));
  report(state, 2.0 * static_cast<double>(rows * inputs * outputs));
}

/// Arguments: rows, inputs, tokens. Counts the operations of the product alone.
void nearest(benchmark::State& state) {
  const Index rows = state.range(0), inputs = state.range(1), tokens = state.range(2);
  const auto x = random_values(rows * inputs), b = random_values(tokens * inputs);
  auto distances = random_values(rows);
  Cpu::TokenBank bank;
  Cpu::pack_tokens(one_thread(), ConstMatrix(b.data(), tokens, inputs), bank);
  for (auto _ : state) Cpu::nearest(one_thread(), ConstMatrix(x.data(), rows, inputs), bank, distances.data());
  report(state, 2.0 * static_cast<double>(rows * inputs * tokens));
}

/// Arguments: rows, outputs, inputs.
void weight_gradient(benchmark::State& state) {
  const Index rows = state.range(0), outputs = state.range(1), inputs = state.range(2);
  const auto dy = random_values(rows * outputs), x = random_values(rows * inputs);
  auto dw = random_values(outputs * inputs);
  for (auto _ : state)
    Cpu::accumulate_weight_gradient(one_thread(), ConstMatrix(dy.data(), rows, outputs),
                                    ConstMatrix(x.data(), rows, inputs), Matrix(dw.data(), outputs, inputs));
  report(state, 2.0 * static_cast<double>(rows * inputs * outputs));
}

/// Arguments: height and width, channels, outputs, kernel, stride.
void convolve(benchmark::State& state) {
  const Index size = state.range(0), channels = state.range(1), outputs = state.range(2), kernel = state.range(3),
              stride = state.range(4), out = (size + stride - 1) / stride, inputs = kernel * kernel * channels;
  const auto x = random_values(size * size * channels), w = random_values(outputs * inputs);
  auto y = random_values(out * out * outputs);
  Cpu::Packed packed;
  Cpu::pack(one_thread(), ConstMatrix(w.data(), outputs, inputs), packed);
  for (auto _ : state)
    Cpu::convolve(one_thread(), ConstMap(x.data(), 1, size, size, channels), {kernel, stride, kernel / 2, kernel / 2},
                  packed, {}, Map(y.data(), 1, out, out, outputs));
  report(state, 2.0 * static_cast<double>(out * out * inputs * outputs));
}

/// Arguments: height and width, channels, kernel, stride, activation.
void depthwise(benchmark::State& state) {
  const Index size = state.range(0), channels = state.range(1), kernel = state.range(2), stride = state.range(3),
              out = (size + stride - 1) / stride;
  const auto x = random_values(size * size * channels), w = random_values(kernel * kernel * channels),
             bias = random_values(channels);
  auto y = random_values(out * out * channels);
  for (auto _ : state)
    Cpu::depthwise(one_thread(), ConstMap(x.data(), 1, size, size, channels), {kernel, stride, kernel / 2, kernel / 2},
                   w.data(), bias.data(), static_cast<Activation>(state.range(4)),
                   Map(y.data(), 1, out, out, channels));
  report(state, 2.0 * static_cast<double>(out * out * kernel * kernel * channels));
}

/// Arguments: height and width, channels, squeezed.
void squeeze_excite(benchmark::State& state) {
  const Index size = state.range(0), channels = state.range(1), squeezed = state.range(2);
  auto x = random_values(size * size * channels);
  auto scratch = random_values(2 * channels + squeezed);
  const auto w1 = random_values(squeezed * channels), w2 = random_values(squeezed * channels),
             b1 = random_values(squeezed);
  const std::vector<float> b2(static_cast<std::size_t>(channels), 40.0F);  // makes the gate 1, so that x is unchanged
  const std::vector<float> none(w2.size());
  for (auto _ : state)
    Cpu::squeeze_excite(one_thread(), Map(x.data(), 1, size, size, channels),
                        {squeezed, w1.data(), b1.data(), none.data(), b2.data(), Activation::silu}, scratch.data());
  report(state, 2.0 * static_cast<double>(size * size * channels + 2 * squeezed * channels));
}

/// Arguments: height and width, inputs, expanded channels, outputs, kernel, stride, squeezed. Times a whole MBConv
/// block.
void inverted_residual(benchmark::State& state) {
  const Index size = state.range(0), inputs = state.range(1), channels = state.range(2), outputs = state.range(3),
              kernel = state.range(4), stride = state.range(5), squeezed = state.range(6),
              out = (size + stride - 1) / stride;
  const bool expands = channels != inputs;
  const auto x = random_values(size * size * inputs), w1 = random_values(channels * inputs),
             w2 = random_values(kernel * kernel * channels), w3 = random_values(squeezed * channels),
             w4 = random_values(squeezed * channels), w5 = random_values(outputs * channels),
             bias = random_values(channels);
  Cpu::Packed expand, project;
  if (expands) Cpu::pack(one_thread(), {w1.data(), channels, inputs}, expand);
  Cpu::pack(one_thread(), {w5.data(), outputs, channels}, project);
  adtr::InvertedResidual<float, Cpu::Packed> block{channels,    expands ? &expand : nullptr,
                                                   bias.data(), {kernel, stride, kernel / 2, kernel / 2},
                                                   w2.data(),   bias.data()};
  block.excite = {squeezed, w3.data(), bias.data(), w4.data(), bias.data(), Activation::silu};
  block.project = &project;
  block.project_bias = bias.data();
  block.residual = stride == 1 && inputs == outputs;
  auto scratch = random_values(
      Cpu::inverted_residual_scratch({1, size, size, out, out, kernel, stride, channels, outputs, squeezed, expands}));
  auto y = random_values(out * out * outputs);
  for (auto _ : state)
    Cpu::inverted_residual(one_thread(), ConstMap(x.data(), 1, size, size, inputs), block, scratch.data(),
                           Map(y.data(), 1, out, out, outputs));
  report(state,
         2.0 * static_cast<double>((expands ? size * size * inputs * channels : 0) +
                                   out * out * channels * (kernel * kernel + outputs) + 2 * squeezed * channels));
}

/// Arguments: batch, tokens, heads, channels per head, dropout in per cent.
struct AttentionCase {
  explicit AttentionCase(const benchmark::State& state)
      : size(state.range(0) * state.range(1) * state.range(2) * state.range(3)),
        q(random_values(size)),
        k(random_values(size)),
        v(random_values(size)),
        out(random_values(size)),
        sums(random_values(state.range(0) * state.range(1) * state.range(2))) {
    const Index rows = state.range(0) * state.range(1), columns = state.range(2) * state.range(3);
    a.batch = state.range(0);
    a.tokens = state.range(1);
    a.heads = state.range(2);
    a.query = ConstMatrix(q.data(), rows, columns);
    a.key = ConstMatrix(k.data(), rows, columns);
    a.value = ConstMatrix(v.data(), rows, columns);
    a.out = Matrix(out.data(), rows, columns);
    a.log_sum_exp = sums.data();
    a.dropout = {static_cast<float>(state.range(4)) / 100.0F, 1, 2, 3};
    operations = 2.0 * static_cast<double>(size) * static_cast<double>(a.tokens);
  }
  Index size;
  std::vector<float> q, k, v, out, sums;
  adtr::Attention<float> a;
  double operations;  ///< of one product of tokens × tokens × channels
};

void attention(benchmark::State& state) {
  const AttentionCase c(state);
  for (auto _ : state) Cpu::attention(one_thread(), c.a);
  report(state, 2.0 * c.operations);
}

void attention_backward(benchmark::State& state) {
  const AttentionCase c(state);
  Cpu::attention(one_thread(), c.a);
  auto dout = random_values(c.size), dq = dout, dk = dout, dv = dout;
  const auto view = [&](auto& values) { return Matrix(values.data(), c.a.query.rows, c.a.query.cols); };
  for (auto _ : state)
    Cpu::attention_backward(one_thread(), c.a, {ConstMatrix(view(dout)), view(dq), view(dk), view(dv)});
  report(state, 5.0 * c.operations);
}

/// Arguments: rows, columns.
void layer_norm(benchmark::State& state) {
  const Index rows = state.range(0), columns = state.range(1);
  const auto x = random_values(rows * columns), gamma = random_values(columns), beta = random_values(columns);
  auto y = x;
  for (auto _ : state)
    Cpu::layer_norm(one_thread(), ConstMatrix(x.data(), rows, columns), gamma.data(), beta.data(), 1e-5F,
                    Matrix(y.data(), rows, columns), nullptr);
  report(state, 8.0 * static_cast<double>(rows * columns));
}

void layer_norm_backward(benchmark::State& state) {
  const Index rows = state.range(0), columns = state.range(1);
  const auto x = random_values(rows * columns), gamma = random_values(columns), dy = random_values(rows * columns);
  auto dx = x, dgamma = gamma, dbeta = gamma;
  std::vector<float> statistics(static_cast<std::size_t>(2 * rows), 1.0F);
  for (auto _ : state)
    Cpu::layer_norm_backward(one_thread(), ConstMatrix(x.data(), rows, columns), gamma.data(), statistics.data(),
                             ConstMatrix(dy.data(), rows, columns), Matrix(dx.data(), rows, columns), dgamma.data(),
                             dbeta.data());
  report(state, 15.0 * static_cast<double>(rows * columns));
}

void dropout(benchmark::State& state) {
  const Index rows = state.range(0), columns = state.range(1);
  const auto x = random_values(rows * columns);
  auto y = x;
  for (auto _ : state)
    Cpu::dropout(one_thread(), ConstMatrix(x.data(), rows, columns), {0.1F, 1, 2, 3}, {},
                 Matrix(y.data(), rows, columns));
  report(state, static_cast<double>(rows * columns));
}

/// Argument: parameters.
void adamw(benchmark::State& state) {
  const Index n = state.range(0);
  auto p = random_values(n), g = p, m = p;
  std::vector<float> v(static_cast<std::size_t>(n), 1.0F);
  for (auto _ : state) Cpu::adamw(one_thread(), {}, n, p.data(), g.data(), m.data(), v.data());
  report(state, 14.0 * static_cast<double>(n));
}

/// Arguments: outputs, inputs.
void pack(benchmark::State& state) {
  const Index outputs = state.range(0), inputs = state.range(1);
  const auto w = random_values(outputs * inputs);
  Cpu::Packed packed;
  for (auto _ : state) Cpu::pack(one_thread(), ConstMatrix(w.data(), outputs, inputs), packed);
  report(state, static_cast<double>(inputs * outputs));
}

constexpr auto none = static_cast<Index>(Activation::none), relu = static_cast<Index>(Activation::relu),
               silu = static_cast<Index>(Activation::silu);

BENCHMARK(multiply)
    ->Name("multiply/transformer")
    ->ArgsProduct({{256, 4096}, {256}, {256, 720}, {none}})
    ->Args({256, 256, 1024, relu})
    ->Args({256, 1024, 256, none})
    ->Args({256, 720, 256, none})
    ->Args({4096, 256, 1024, relu})
    ->Args({4096, 1024, 256, none})
    ->Args({4096, 1024, 1024, none});
BENCHMARK(multiply)
    ->Name("multiply/b4")
    ->Args({16384, 48, 24, none})
    ->Args({16384, 24, 144, silu})
    ->Args({16384, 24, 144, none})
    ->Args({4096, 144, 32, none})
    ->Args({4096, 32, 192, silu})
    ->Args({4096, 192, 32, none})
    ->Args({1024, 192, 56, none})
    ->Args({1024, 56, 336, silu})
    ->Args({1024, 336, 56, none})
    ->Args({256, 336, 112, none})
    ->Args({256, 112, 672, silu})
    ->Args({256, 672, 112, none})
    ->Args({256, 160, 960, silu})
    ->Args({256, 960, 160, none})
    ->Args({64, 272, 1632, silu})
    ->Args({64, 1632, 272, none})
    ->Args({64, 448, 2688, silu})
    ->Args({64, 2688, 448, none});
BENCHMARK(multiply)->Name("multiply/bank")->Args({256, 128, 4000, none});
BENCHMARK(nearest)->Args({256, 128, 4000});
BENCHMARK(weight_gradient)
    ->Args({4096, 256, 256})
    ->Args({4096, 1024, 256})
    ->Args({4096, 256, 1024})
    ->Args({4096, 720, 256});
BENCHMARK(convolve)
    ->Args({256, 3, 48, 3, 2})
    ->Args({256, 3, 64, 7, 2})
    ->Args({64, 64, 64, 3, 1})
    ->Args({64, 64, 128, 3, 2})
    ->Args({64, 64, 128, 1, 2})
    ->Args({32, 128, 128, 3, 1})
    ->Args({16, 256, 256, 3, 1})
    ->Args({8, 512, 512, 3, 1});
BENCHMARK(depthwise)
    ->Args({128, 48, 3, 1, silu})
    ->Args({128, 48, 3, 1, none})
    ->Args({128, 24, 3, 1, silu})
    ->Args({128, 144, 3, 2, silu})
    ->Args({64, 192, 3, 1, silu})
    ->Args({64, 192, 3, 1, none})
    ->Args({64, 192, 5, 2, silu})
    ->Args({32, 336, 5, 1, silu})
    ->Args({32, 336, 3, 2, silu})
    ->Args({16, 672, 3, 1, silu})
    ->Args({16, 672, 5, 1, silu})
    ->Args({16, 960, 5, 1, silu})
    ->Args({16, 960, 5, 1, none})
    ->Args({16, 960, 5, 2, silu})
    ->Args({8, 1632, 5, 1, silu})
    ->Args({8, 2688, 3, 1, silu});
BENCHMARK(squeeze_excite)
    ->Args({128, 48, 12})
    ->Args({64, 192, 8})
    ->Args({32, 336, 14})
    ->Args({16, 960, 40})
    ->Args({8, 2688, 112});
BENCHMARK(inverted_residual)
    ->Args({128, 48, 48, 24, 3, 1, 12})
    ->Args({128, 24, 144, 32, 3, 2, 6})
    ->Args({64, 32, 192, 32, 3, 1, 8})
    ->Args({32, 56, 336, 56, 5, 1, 14})
    ->Args({16, 112, 672, 112, 3, 1, 28})
    ->Args({16, 160, 960, 160, 5, 1, 40})
    ->Args({8, 272, 1632, 272, 5, 1, 68})
    ->Args({8, 448, 2688, 448, 3, 1, 112});
BENCHMARK(attention)->Args({1, 256, 8, 32, 0})->Args({1, 256, 8, 32, 10})->Args({1, 1024, 8, 32, 0});
BENCHMARK(attention_backward)->Args({1, 256, 8, 32, 0})->Args({1, 256, 8, 32, 10});
BENCHMARK(layer_norm)->Args({4096, 256});
BENCHMARK(layer_norm_backward)->Args({4096, 256});
BENCHMARK(dropout)->Args({4096, 256});
BENCHMARK(adamw)->Arg(1 << 23);
BENCHMARK(pack)->Args({1024, 256})->Args({256, 1024});

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::printf("kernels for %s; peak of one core by fused multiply-adds: %.1f GFLOP/s\n",
              adtr::isa_name(adtr::current_isa()), peak());
  benchmark::RunSpecifiedBenchmarks();
}
