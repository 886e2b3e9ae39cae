"""Is the sandbox like production? Two sources held against each other, before training.

`columns` compares what each column holds, `missing`, `times` and `equal` what goes beyond one
column, `classifier` how well a model can tell rows of the two apart, `estimate` what that does to a
metric, and `maturity` whether the newest labels are final. `comparison` puts it together, and
`words` says it.
"""
