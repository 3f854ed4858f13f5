"""How long a cleanup takes, from what earlier ones took."""
