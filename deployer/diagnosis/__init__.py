"""Why a release failed, and how to fix it: evidence in, one ranked answer out.

Pure: the standard library only, no input or output except where a caller passes lines in.
"""
