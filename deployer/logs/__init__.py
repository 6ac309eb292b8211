"""Reading the job's log: following one stream, merging many, rendering lines."""
