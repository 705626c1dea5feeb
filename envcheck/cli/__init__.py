"""The door: one file a command.  Knows everyone; nobody knows it."""
