"""The commands, and what they share. `chat` is a room of its own.

following.py is a terminal's place in a record, terminal.py prints events, approvals.py asks whoever sits there. users.py finds the user
that a command acts for, interpreter.py the Python to name in sentences, timeouts.py gives statements their time.
"""
