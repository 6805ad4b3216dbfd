"""Faults that runs survive: killed, refused by the system, out of memory, sharing a folder."""
