"""Real benchmarks behind one protocol."""
