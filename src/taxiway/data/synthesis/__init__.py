"""Synthetic data: rows that keep a contract, made from the contract alone or like given data.

They are marked as synthetic for ever: what is trained on them can't pass to production.
"""
