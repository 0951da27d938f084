"""The one training loop, what feeds it, and its checkpoints."""
