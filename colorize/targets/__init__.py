"""What a network is shown and what it says."""
