"""Reconciling sources: whether columns of two tables mean the same, found by what they hold.

Rows are matched by keys that are found, too (`joins`); on matched rows each pair of columns is held
against the laws that tell one way of saying a thing from another (`laws`, `clocks`, `codings`); and
what is found is a `Finding` with its evidence and the mapping that would settle it. Where no key
matches, distributions say less, and say so (`spread`).
"""
