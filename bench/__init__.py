"""Measures what the way from the gateway to the sockets costs: `python -m bench floor`. Runs on Linux."""
