"""Drafting a contract from data: what each column seems to be, how sure that is, and why.

A draft is a proposal for the owner of the data. Types are nullable until every row has a value,
text stays text where a number would lose something, and what was only likely has its confidence.
"""

from taxiway.data.infer.drafting import draft
from taxiway.data.infer.record import Draft, Guess

__all__ = ["Draft", "Guess", "draft"]
