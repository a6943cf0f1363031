"""What an agent owns and what came of it: folds over executions."""
