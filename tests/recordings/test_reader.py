"""Tables as arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

from recordings.reader import read_table
from recordings.table import FRAME_COLUMNS

ROWS = 4000


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """So large that it is read in several pieces, with every seventh row without a face."""
    rng = np.random.default_rng(0)
    values = pandas.DataFrame(rng.random((ROWS, len(FRAME_COLUMNS))), columns=list(FRAME_COLUMNS))
    values["frame"] = np.arange(ROWS)
    values["time_s"] = np.arange(ROWS) / 30
    values["valid"] = (np.arange(ROWS) % 7 != 3).astype(int)
    length = np.linalg.norm(values.iloc[:, -11:-7], axis=1)
    values.iloc[:, -11:-7] = values.iloc[:, -11:-7].to_numpy() / length[:, None]
    blind = values["valid"] == 0
    values.loc[blind, list(FRAME_COLUMNS[4:])] = np.nan
    path = tmp_path / "frames.csv"
    values.to_csv(path, index=False)
    assert path.stat().st_size > 3 << 20
    return path


def test_table_has_the_values_that_pandas_reads(table: Path) -> None:
    track, wanted = read_table(table), pandas.read_csv(table)
    np.testing.assert_array_equal(track.index, wanted["frame"])
    np.testing.assert_allclose(track.time_s, wanted["time_s"])
    np.testing.assert_array_equal(track.valid, wanted["valid"] > 0)
    names = list(FRAME_COLUMNS[4:-14])
    np.testing.assert_allclose(track.expression, wanted[names], rtol=1e-6, equal_nan=True)
    np.testing.assert_allclose(track.translation, wanted[list(FRAME_COLUMNS[-7:-4])], equal_nan=True)


def test_opening_loads_no_pandas(table: Path) -> None:
    """It would take half of the time of opening an hour."""
    code = (
        "import sys; from pathlib import Path; from recordings.reader import read_table;"
        f"read_table(Path({str(table)!r})); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
