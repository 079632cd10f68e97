"""Nobody is in two parts."""

from __future__ import annotations

from models.training.splits import load_splits


def test_people_are_in_one_part_each() -> None:
    splits = load_splits()
    for people in (splits.london_set, splits.canada_set, splits.clips_grid, splits.clips_signing):
        names = people.train + people.validation + people.test
        assert len(names) == len(set(names))
        assert people.test and people.train
    assert len(splits.london_set.test) == 30
    seeds = splits.synthetic_seeds
    assert set(seeds.part("test")).isdisjoint(seeds.part("validation"))
    assert seeds.part("train").start > seeds.part("validation").stop > seeds.part("test").stop
