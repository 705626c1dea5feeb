"""For our own tests and for plugin authors: a cast of machines, changes to them, and a court of one rule.

>>> from envcheck.testing import machine
>>> machine("h100").but({"/nvml/init_code": 18}).snapshot.nvml.init_code
18
"""

from .cast import CAST, machine
from .change import Machine, blank, change, fact_pointers
from .court import judge_one, outcomes

__all__ = ["CAST", "Machine", "blank", "change", "fact_pointers", "judge_one", "machine", "outcomes"]
