"""What several test modules share: servers, labs, tiny models."""
