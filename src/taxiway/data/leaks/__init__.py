"""Leaks and traps: what makes a model look better in the notebook than it will ever be.

Each detector is a function from `Table` to findings; `search.py` holds the table of them.
"""
