"""``nasion check``: whether everything a run needs is there and fits together, one verdict for each thing.

Pure functions judge facts; `machine` gathers them; `everything` puts them in order.
"""
