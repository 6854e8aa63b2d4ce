import pytest

from emocal_rl.platform.data.location import Location


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("/a/b/../c.png", "/a/c.png"),
        ("file:///a/c.png", "/a/c.png"),
        ("s3://bucket/a//b/./c.png", "s3://bucket/a/b/c.png"),
        ("s3://bucket/../../c.png", "s3://c.png"),
        ("zip://in/a.png::/data/x.zip", "zip://in/a.png::/data/x.zip"),
        ("memory://a.jsonl", "memory://a.jsonl"),
    ],
)
def test_places_are_normalised(url, normal):
    assert str(Location.parse(url)) == normal


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(Location.parse("a.png")) == f"{tmp_path}/a.png"


def test_containment_is_lexical_and_by_whole_names():
    root = Location.parse("/data/images")
    assert root.contains(root.join("a/b.png"))
    assert root.contains(root.join("a/../b.png"))
    assert not root.contains(root.join("../b.png"))
    assert not root.contains(Location.parse("/data/images2/b.png"))
    assert not root.contains(Location.parse("s3://data/images/b.png"))
    assert Location.parse("/").contains(root)
    zipped = Location.parse("zip://rows.jsonl::/data/x.zip").parent
    assert zipped.contains(Location.parse("zip://a/b.png::/data/x.zip"))
    assert not zipped.contains(Location.parse("zip://a/b.png::/data/y.zip"))


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("/a.png", False),
        ("memory://a.png", False),
        ("zip://a.png::/x.zip", False),
        ("zip://a.png::s3://bucket/x.zip", True),
        ("s3://bucket/a.png", True),
        ("HTTPS://host/a.png", True),
    ],
)
def test_what_leaves_this_machine_is_remote(url, remote):
    assert Location.parse(url).is_remote is remote


def test_parent_stem_and_relative():
    rows = Location.parse("s3://bucket/set/rows.train.jsonl.gz")
    assert (str(rows.parent), rows.stem) == ("s3://bucket/set", "rows")
    assert rows.parent.relative(rows.parent.join("images/a.png")) == "images/a.png"
