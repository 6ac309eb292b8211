"""`python -m pipeline` is the command `forecast-etl`."""

from pipeline.cli import main

main()
