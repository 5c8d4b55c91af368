"""The bench: every engine and peer on the same bytes in one run, so that only ratios matter.

Inputs are made here, by seed, without the library under test; only logs are written with its writer,
which the tests hold to the server's bytes. Each engine is a process of its own that
answers the same two requests (load, run) and stays alive while rounds go from engine to engine; a ratio
is the median of the ratios within a round. Goals are data.
"""
