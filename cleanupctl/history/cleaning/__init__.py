"""The deletion engine: what is deleted in one transaction, and how one follows the other."""
