"""Training: one run from code, snapshot, parameters, seed and environment to a candidate.

Before it comes a snapshot of data that kept its contract, handed over by the data's owner. It hands
on a fitted estimator with its evidence, which `taxiway.release` packages and signs.
"""
