"""Measurements of the pipeline: `make bench-pipeline`, or `python -m bench.pipeline [NAME ...]`."""
