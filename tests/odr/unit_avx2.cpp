#include "unit.inl.hpp"

float run_avx2() { return run(); }
