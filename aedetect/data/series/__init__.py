"""Time series: timestamps, where each series runs without a gap, windows over it, and events."""
