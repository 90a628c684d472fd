"""A conversation as a session in the terminal.

session.py follows turns and takes lines, commands.py has the commands that begin with a slash. lines.py reads lines from a pipe or a plain
terminal and transcript.py prints for one; prompt.py and screen.py do the same for a full terminal, with markdown.py.
"""
