"""Benchmarks of the way from the gateway to the sockets, on Linux: `python -m bench floor`."""
