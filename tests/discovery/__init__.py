"""Who uses which file."""
