"""The databases being cleaned: what expires in them, and how it is deleted."""
