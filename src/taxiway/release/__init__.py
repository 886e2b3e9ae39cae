"""Release: an immutable, signed artefact, checked and moved between environments.

Before it comes a run's candidate. It hands on a deployment: a release in an environment in a
role, which `taxiway.serving` answers with.
"""
