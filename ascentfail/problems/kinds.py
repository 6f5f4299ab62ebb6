"""What a stationary point is."""

from __future__ import annotations

import enum


class StationaryKind(enum.IntEnum):
    """What a stationary point is: MINIMUM, SADDLE or MAXIMUM; NONE where there is none.

    Result fields hold int32 of it.
    """

    NONE = 0
    MINIMUM = 1
    SADDLE = 2
    MAXIMUM = 3
