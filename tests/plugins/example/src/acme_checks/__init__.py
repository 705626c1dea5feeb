"""Example plugins for envcheck, written as an author outside of the project would write them."""
