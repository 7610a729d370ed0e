// Where xtensor has it since 0.26.
