"""Retraining: alerts become a proposal, the proposal a challenger, and a person decides.

Before it, `monitoring` raised alerts. `proposal` gathers those that the charter's triggers name
into one open proposal; `training` makes the challenger; `comparison` holds it against the champion
on the same frozen holdout; `decide` takes the signature of the owner whom the charter names. What
was accepted goes through the flight check and the normal promotion like every other release.
"""
