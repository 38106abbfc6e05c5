from sweeps.config.paths import leaves, with_path, with_paths, without


def test_a_path_sets_and_removes_without_touching_what_was_given():
    table = {"a": {"b": 1, "c": 2}, "d": 3}
    assert with_path(table, "a.b", 5) == {"a": {"b": 5, "c": 2}, "d": 3}
    assert with_path(table, "x.y.z", 5)["x"] == {"y": {"z": 5}}
    assert without(table, ["a.b", "d"]) == {"a": {"c": 2}}
    assert table == {"a": {"b": 1, "c": 2}, "d": 3}


def test_leaves_are_what_paths_set():
    given = {"a.b": 5, "x.y.z": "name", "d": 0.5}
    assert dict(leaves(with_paths({}, given))) == given
