from load import rows


def test_counts_are_numbers():
    assert [row["bikes"] for row in rows("counts.csv", "a run")] == [4120, 3811, 3977, 2650]
