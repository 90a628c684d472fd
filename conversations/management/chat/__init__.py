"""A conversation as a session in the terminal.

session.py follows turns and takes lines, commands.py has what begins with a slash. lines.py reads from a pipe or a plain terminal and
transcript.py prints for one; prompt.py and screen.py are the same for a terminal that can do more, where markdown.py renders.
"""
