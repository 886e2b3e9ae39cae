"""Features: what is known about a key at a moment, the same for training and for answering.

A feature view (`view`) is a query over sources that hold their contracts (`query`), with the key it
is asked by, when each value happened and when it became known. A training set (`training_set`) asks
views for every row of a frame, as of the row's own time (`asof`); the online store holds the newest
values by key (`online`), and `parity` holds the two against each other.
"""
