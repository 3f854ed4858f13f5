"""What expires: by removal time, or by end time."""
