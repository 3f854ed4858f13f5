"""Running in the foreground for long: watching, signals, the service manager."""
