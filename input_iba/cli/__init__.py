"""The command line: arguments, subcommands, exit status.

Functions that run a command import what they need, so that --help and typing errors answer at once.
"""
