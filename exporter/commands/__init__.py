"""The commands: the only place that builds things and joins them."""
