"""How good scores and verdicts are, against labels: plain functions of arrays."""
