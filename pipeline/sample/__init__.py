"""Synthetic readings of six stations, written in every source format.

Deterministic for a given end and size.
"""
