"""The words of taxiway as frozen records, verdicts, legal moves, ports and errors.

Nothing comes before the core: it imports nothing of the other packages, does no I/O and knows no
clock and no randomness. Every step of the life cycle (charter, data, training, release, serving,
monitoring, retraining, governance) speaks in these records, and `taxiway.bootstrap` hands the ports
their adapters.

Facts are frozen dataclasses, so that reading the record stays quick; the two documents that people
write, the charter and the contract, are pydantic models (`core.charter`, `core.contract`).
"""
