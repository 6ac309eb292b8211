"""The outside: folders, S3 and MongoDB, in the words of `pipeline.ports`."""
