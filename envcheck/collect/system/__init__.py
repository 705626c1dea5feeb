"""What the operating system itself can tell: files of /sys, /proc, /dev and /etc, and a few programs.

Every collector is a function of (root, platform, environ) and fills one section; see :mod:`.root`.
"""
