"""Files of ours: the run file, and the calls that are kept until it is written."""
