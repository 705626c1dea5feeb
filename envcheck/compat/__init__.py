"""What fits what: dated, sourced tables and the questions that they answer.

``tables/*.json`` are data, one row a line, every row with its source and the day it was looked up.
:mod:`envcheck.compat.query` gathers the questions; each returns a :data:`~envcheck.facts.Fact` (a value,
``None`` for "asked, and there is none", or :class:`~envcheck.facts.Unread` with the reason) and none guesses:
what is newer than the table is said to be so.  Nothing here looks at a machine, a clock or a network.

Importing this package loads nothing; each question loads the one or two tables that it needs, once.
"""
