"""Generated man pages, and what generates them."""
