"""What is read of a node: its files, its processes, its endpoints."""
