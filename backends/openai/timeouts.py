"""Limits of time for a call."""

DEADLINE = 180.0
"""Seconds for one call in all; the SDK's own timeout is for each read, which a dripping body
never exceeds."""
FIRST_ANSWER = 15.0
"""Seconds until a server that has never answered has sent its first, short answer.
Sixteen tokens of a model of 8 billion weights, in four bits, take some five seconds on a laptop
without a GPU."""
LOADING_TIME = 600.0
"""Seconds that a server may load its model, while it says so or is known to do so in silence."""
