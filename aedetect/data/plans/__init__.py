"""Plans: stretches of time that somebody named beforehand, as a holiday or a maintenance window."""
