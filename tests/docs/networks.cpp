/// Prints one line a backbone, as the table of docs/backbones.md has it, from constants of the networks' types.
#include <cstdio>
#include <string>

#include "adtr/models/catalogue.hpp"

namespace {

using adtr::Architecture;

template <Architecture A>
void row() {
  using N = typename adtr::Network<A>::type;
  const auto millions = [](auto n) { return static_cast<double>(n) / 1e6; };
  std::printf("%s|%td|%.1f M, %.1f M|%.2f G, %.2f G\n", std::string(adtr::name_of(A)).c_str(),
              static_cast<std::ptrdiff_t>(N::Features::channels),
              millions(adtr::parameter_count<typename N::Backbone::Layers>), millions(N::parameters),
              millions(N::Backbone::macs) / 1e3, millions(N::macs) / 1e3);
}

template <std::size_t... I>
void rows(std::index_sequence<I...>) {
  (row<static_cast<Architecture>(I)>(), ...);
}

}  // namespace

int main() { rows(std::make_index_sequence<static_cast<std::size_t>(Architecture::pixels)>{}); }
