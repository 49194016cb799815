"""Settings and budgets, resolved once from every place that may state them.

`load_settings` reads the files and the environment; `precedence` alone decides which place wins.
"""
