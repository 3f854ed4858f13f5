"""What the product is: decisions, jobs, windows; prints nothing, reads no options and no clock."""
