"""Recorded snapshots of the cast: what an envcheck of today wrote, and every later one has to read and judge alike.

``python -m tests.machines`` writes snapshots that are missing; it never rewrites one, for that is the point of them.
"""
