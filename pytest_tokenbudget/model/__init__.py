"""Values: what an exchange, a call, a task and a run are. Imports nothing of ours but errors."""
