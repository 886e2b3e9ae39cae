"""Governance, under every step: who may do what, what has to be shown, and what was done.

It reads the evidence that the steps before it wrote (charter, data, training, release, monitoring)
and judges it against the catalogue of checks; people sign, deviations expire, handoffs are accepted
or returned. It hands on verdicts, which `taxiway.release` lets a release pass by, and the ledger.
"""
