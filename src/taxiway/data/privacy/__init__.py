"""Privacy: which columns hold personal data, by their values and by their names, and how alone a
row stands among the others. Nothing that is answered here holds a value of a column."""
