"""From arrays to scores, and the fitted model that gives them."""
