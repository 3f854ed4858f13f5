"""What is cleanable by definition, and what never will be."""
