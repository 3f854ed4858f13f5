"""Why an instance is removed or not, and when."""
