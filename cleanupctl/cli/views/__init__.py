"""What a person or a program reads: the JSON and the text of each result."""
