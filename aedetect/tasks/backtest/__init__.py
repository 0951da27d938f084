"""What would have fired: verdicts of past rows at several alert rates, by day and by dump."""

from aedetect.tasks.backtest.backtest import BacktestRequest, backtest
from aedetect.tasks.backtest.budget import Budget
from aedetect.tasks.backtest.results import Backtest, BudgetOutcome, Line

__all__ = ["Backtest", "BacktestRequest", "Budget", "BudgetOutcome", "Line", "backtest"]
