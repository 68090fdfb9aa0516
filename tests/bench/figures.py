"""Medians of rounds, and ratios of two things that were measured in turn."""

import statistics


def spread(values):
    """The median, the least and the most of several rounds."""
    values = [float(value) for value in values]
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": values}


def ratio(of, by):
    """Of each round the first in terms of the second: the two met the same neighbours on the machine."""
    return spread(one / other for one, other in zip(of, by, strict=True))


def by_size(parts, kind):
    """What was measured of the log, or of the views, of each size."""
    rows = (parts.get("growth") or {}).get(kind) or []
    return [*rows, *(parts.get("largest") or [])] if kind == "views" else rows


def at(millis, per_thousand):
    """The nearest rank."""
    ranked = sorted(millis)
    return ranked[max(0, -(-len(ranked) * per_thousand // 1000) - 1)]
