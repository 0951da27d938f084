"""Learning anew from recent rows, and whether the new model may take the place of the old one."""
