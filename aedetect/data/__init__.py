"""Arrow batches to float32 arrays, and back; nothing here knows torch."""
