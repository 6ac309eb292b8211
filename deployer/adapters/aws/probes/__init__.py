"""Read-only checks of an AWS account, one subject a module; each reports what it found and how to fix it."""
