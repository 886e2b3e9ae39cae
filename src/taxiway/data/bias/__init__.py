"""Bias in data: who is in them, how labels are spread over groups, and which columns stand in for a
protected one. It examines data; what a model makes of them is measured where it is trained."""
