/// A program on adtr::kernels: adtr::core with the kernels of the Cpu backend compiled elsewhere.
#include <cstdio>

#include <adtr/backend/cpu.hpp>

int main() {
  std::printf("%s\n", adtr::isa_name(adtr::current_isa()));
  return adtr::cpu::kernels().isa == adtr::current_isa() ? 0 : 1;
}
