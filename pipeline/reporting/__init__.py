"""Audits what is in the database."""
