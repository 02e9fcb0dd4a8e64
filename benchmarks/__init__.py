"""Measures Asterism against upstream Starlette 1.10.0. Run `python -m benchmarks --help`."""
