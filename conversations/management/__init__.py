"""The commands, and what several of them use. `chat` is a room of its own.

following.py is a terminal's cursor on a record, terminal.py prints events, approvals.py asks the person at the terminal. users.py finds
the user for whom a command acts, interpreter.py the Python to name in sentences, timeouts.py lets statements take their time.
"""
