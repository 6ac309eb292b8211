"""Read-only looks at an AWS account, one subject a module; each says what it found and how to mend it."""
