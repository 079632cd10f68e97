"""Rolling figures."""

from __future__ import annotations

import pytest

from tracking.timings import RollingPercentiles, RollingRate


def test_rolling_percentiles_forget_old_values() -> None:
    stats = RollingPercentiles(window=100)
    assert stats.get() is None
    for _ in range(50):
        stats.add(1000.0)
    for value in range(1, 101):
        stats.add(float(value))
    percentiles = stats.get()
    assert percentiles is not None
    assert percentiles.p50 == pytest.approx(50.5)
    assert percentiles.p95 == pytest.approx(95.05)


def test_rolling_rate_counts_and_decays() -> None:
    rate = RollingRate(window=11)
    assert rate.get(0) == 0.0
    for n in range(30):
        rate.add(n * 20_000_000)
    last = 29 * 20_000_000
    assert rate.get(last) == pytest.approx(50.0)
    assert rate.get(last + 20_000_000) == pytest.approx(50.0)
    assert rate.get(last + 10_000_000_000) < 1.0
