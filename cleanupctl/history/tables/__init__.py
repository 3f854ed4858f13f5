"""Histories of kind `tables`: any table with a time column."""
