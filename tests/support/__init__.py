"""What tests share: servers, data, and the commands they run."""
