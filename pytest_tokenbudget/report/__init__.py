"""What a run or an audit says, to people and to machines."""
