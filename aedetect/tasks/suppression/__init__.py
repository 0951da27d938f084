"""What says that flagged rows are fine: verdicts of people, calendars, rules."""
