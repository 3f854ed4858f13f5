"""The databases being cleaned: one interface, one package per server."""
