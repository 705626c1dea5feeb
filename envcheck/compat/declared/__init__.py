"""What an installation of declared requirements would bring, as far as the tables tell.

No resolver: nothing is downloaded, and only torch and its companions are chosen.
"""
