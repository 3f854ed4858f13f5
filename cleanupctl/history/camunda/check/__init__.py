"""Looking for what keeps an engine's history from being cleaned."""
