"""Source formats: bytes of one object to rows. `parsers.reading.rows` chooses by name and content."""
