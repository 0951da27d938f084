"""Learning normal: from inputs to a fitted model."""
