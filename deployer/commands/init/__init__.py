"""`deployer init`: deploy.toml from the files of a folder, or from what an account already runs."""
