#include "unit.inl.hpp"

float run_baseline() { return run(); }
