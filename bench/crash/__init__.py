"""Crashes of servers, at random and at named points: `python -m bench crash`.

What clients saw is compared with what is stored.
"""
