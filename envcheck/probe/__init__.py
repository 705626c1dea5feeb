"""Programs that envcheck sends into other interpreters.

Everything here is standard library only, imports nothing of envcheck, and runs in any Python from 3.6 on.  The one
way in is ``python run.py TASK ANSWER_FILE [key=value ...]``: see :mod:`envcheck.probe.run`.
"""
