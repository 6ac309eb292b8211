"""The Forecast 2.0 ETL: readings of weather stations from files or S3 into MongoDB, exact and accounted."""

__version__ = "0.1.0"
