"""The plan: what a model is for, who answers for it, what was promised, and what could go wrong.

Nothing comes before the charter. The step reads `taxiway.yaml`, says all that is missing or
contradictory with its line, computes the risk tier, starts projects from templates, and hands on
the charter and the evidence of the plan to every step that follows.
"""
