"""Reading an engine's own cleanup configuration, to write the TOML that says the same."""
