"""What keeps an engine's history from being cleaned."""
