"""Charts: data, their matplotlib figure, and the live widget that is read with the pointer."""

from qcrbox.widgets.chart.model import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    Axis,
    Chart,
    Panel,
    Series,
    as_array,
)
from qcrbox.widgets.chart.picture import Picture

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "Axis",
    "Chart",
    "Panel",
    "Picture",
    "Series",
    "as_array",
]
