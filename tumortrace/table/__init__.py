"""Images and settings to one table of features, in parallel, resumable, with a record of how it was made."""

from tumortrace.table._extract import extract
from tumortrace.table._settings import Settings
from tumortrace.table._write import Summary

__all__ = ["Settings", "Summary", "extract"]
