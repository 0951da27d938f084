"""Runs a task over inputs, whatever the task: it knows neither models nor scores."""
