"""Settings and budgets, resolved once from every place that may state them."""
