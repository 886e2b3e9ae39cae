"""The data: contract, validation, profile, snapshot, label and production-likeness.

Before it comes the charter, which names the contract, the source and the target. The step hands on
an immutable, content-addressed snapshot with its profile and the evidence of provenance and
validation; training reads nothing else.
"""
