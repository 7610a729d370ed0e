"""The parts of tools/convert_weights."""
