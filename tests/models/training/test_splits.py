"""Nobody is in two parts."""

from __future__ import annotations

from models.training.splits import load_splits


def test_people_are_in_one_part_each() -> None:
    splits = load_splits()
    detail = splits.detail
    for people in (
        splits.london_set, splits.canada_set, splits.clips_grid, splits.clips_signing, detail.london_set,
        detail.canada_set,
    ):  # fmt: skip
        names = people.train + people.validation + people.test
        assert len(names) == len(set(names))
        assert people.test and people.train
    assert len(splits.london_set.test) == 30
    for seeds in (splits.synthetic_seeds, detail.synthetic_seeds):
        assert seeds.part("train").start >= seeds.part("validation").stop > seeds.part("test").stop


def test_detail_is_measured_on_people_that_nothing_was_measured_on() -> None:
    splits = load_splits()
    detail = splits.detail
    for own, general in ((detail.london_set, splits.london_set), (detail.canada_set, splits.canada_set)):
        assert set(own.test) <= set(general.train) and len(own.test) == len(general.test)
    assert set(detail.synthetic_seeds.part("test")).isdisjoint(splits.synthetic_seeds.part("test"))
