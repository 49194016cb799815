"""What passes vcrpy, replayed or recorded, as exchanges for the meter.

`finder` waits for vcrpy without importing it; everything else here loads once the user's suite has imported it.
"""
