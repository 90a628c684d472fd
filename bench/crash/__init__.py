"""Kills servers, at random and at named points, and compares what clients saw with what is stored: `python -m bench crash`."""
