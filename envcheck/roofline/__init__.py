"""Arithmetic of benchmarks: costs, statistics, ceilings, comparison.  Pure: numbers in, numbers and words out."""

from .comparison import Answer, Comparison, compare, compare_all
from .cost import Cost, cost
from .row import Row, Trust, row_of, row_of_timing
from .statistics import Summary, summarise
from .table import Ceilings, Table, table_of

__all__ = [
    "Answer",
    "Ceilings",
    "Comparison",
    "Cost",
    "Row",
    "Summary",
    "Table",
    "Trust",
    "compare",
    "compare_all",
    "cost",
    "row_of",
    "row_of_timing",
    "summarise",
    "table_of",
]
