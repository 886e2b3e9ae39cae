"""Surveys: what the columns of a source hold, from one pass over its rows, as aggregates.

`rows` reads any source in chunks, `bins` says what is counted, `counting` counts it, and `survey`
puts it together. Memory does not grow with the rows: what is kept of them is one count a bin, a
bounded number of values, and a sample. `data show` draws a survey, `data compare` holds two against
each other.
"""
