"""The data: contract, validation, snapshots, and what there is to ask of a table before any model.

Before it comes the charter, which names the contract, the source and the target. The step hands on
an immutable, content-addressed snapshot with its profile and the evidence of provenance and
validation; training reads nothing else.
"""
