"""What one does with a fitted model, one room per command."""
