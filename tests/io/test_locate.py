from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest
from support.stores import Bucket

from aedetect.errors import DataError, UsageError
from aedetect.io.locate import Location, _fits, format_of_name, left_out, locate


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "b.csv", "a.parquet", "notes.txt", ".hidden.csv", "_SUCCESS.csv",
        "year=2024/site=a%2Fb/x.csv", "year=__HIVE_DEFAULT_PARTITION__/x.csv", ".git/x.csv", "_tmp/x.csv",
    ):  # fmt: skip
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words: str) -> list[str]:
    return [place.name for place in locate(words)]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"), ("a.CSV.GZ", "csv"), ("a.tsv.zst", "tsv"), ("a.pq", "parquet"),
        ("a.feather", "arrow"), ("a.ndjson", "jsonl"), ("a.txt", None), ("csv", None), ("a.gz", None),
    ],
)  # fmt: skip
def test_format_of_name(name: str, format: str | None) -> None:
    assert format_of_name(name) == format


def test_directory_holds_its_data_files_in_order(tree: Path) -> None:
    assert names("data") == [
        "data/a.parquet",
        "data/b.csv",
        "data/year=2024/site=a%2Fb/x.csv",
        "data/year=__HIVE_DEFAULT_PARTITION__/x.csv",
    ]


def test_hive_partitions(tree: Path) -> None:
    assert [place.partition for place in locate(["data"])] == [
        (), (), (("year", "2024"), ("site", "a/b")), (("year", None),),
    ]  # fmt: skip


def test_relative_paths_mirror_the_directory(tree: Path) -> None:
    assert [place.relative for place in locate(["data"])][:2] == ["a.parquet", "b.csv"]


def test_glob_takes_any_suffix_but_no_directories(tree: Path) -> None:
    assert names("data/[a-z]*") == ["data/a.parquet", "data/b.csv", "data/notes.txt"]


def test_file_whose_name_looks_like_a_glob(tree: Path) -> None:
    Path("x[1].csv").write_text("x\n")
    assert names("x[1].csv") == ["x[1].csv"]


def test_order_of_words_is_kept_and_repeats_dropped(tree: Path) -> None:
    assert names("data/b.csv", "data/a.parquet", "./data/b.csv") == ["data/b.csv", "data/a.parquet"]


def test_stdin() -> None:
    assert locate(["-"]) == [Location("-", "<stdin>")]


def test_uri_of_a_file(tree: Path) -> None:
    uri = (tree / "data" / "b.csv").as_uri()
    place = locate([uri])[0]
    assert (place.name, place.path) == (uri, str(tree / "data" / "b.csv"))


def test_uri_of_a_directory_finds_what_its_path_finds(tree: Path) -> None:
    by_uri, by_path = locate([(tree / "data").as_uri()]), locate([str(tree / "data")])
    assert [(p.relative, p.partition) for p in by_uri] == [(p.relative, p.partition) for p in by_path]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gone.csv", "gone.csv: no such file or directory"),
        ("gone*.csv", "gone*.csv: no file matches this pattern"),
        ("file:///gone.csv", "file:///gone.csv: no such file or directory"),
    ],
)
def test_nothing_there(tree: Path, word: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        locate([word])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("nope://x",
         "nope://x: nope is none of the stores that are read (file, s3, gs, gcs, abfs, abfss, hdfs, "
         "viewfs); write what it holds to a file and name that"),
        ("https://x.org/a b.csv",
         "https://x.org/a b.csv: a web address, from which nothing is read; download it "
         "first (curl -LO 'https://x.org/a b.csv') and name the file"),
    ],
)  # fmt: skip
def test_address_of_no_store(uri: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        locate([uri])
    assert str(caught.value) == message


def test_store_that_does_not_answer_says_what_to_do() -> None:
    with pytest.raises(DataError, match="cannot be read: .*; check the address and your access to it, or"):
        locate(["file://host.invalid/x"])


@pytest.mark.parametrize("uri", [False, True])
def test_directory_without_data(tmp_path: Path, uri: bool) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match="no data file in this directory"):
        locate([tmp_path.as_uri() if uri else str(tmp_path)])


@pytest.mark.parametrize("word", ["data", "uri"])
def test_files_left_out_are_named(tree: Path, word: str) -> None:
    word = (tree / "data").as_uri() if word == "uri" else word
    assert left_out(["-", word, word, "data/b.csv", "data/*"]) == [
        f"{word}: 1 file left out, whose name says no format of data: notes.txt; name it to have it read"
    ]
    for name in ("part-00000", "year=2024/d.dat", "z.xlsx", "b.csv.crc"):
        (tree / "data" / name).write_text("x\n")
    assert left_out([word]) == [
        f"{word}: 4 files left out, whose names say no format of data: notes.txt, part-00000, "
        "year=2024/d.dat and 1 more; name them to have them read"
    ]


def test_folders_above_what_is_named_tell_of_a_partition(tree: Path) -> None:
    sites = ("data/year=2024/site=a%2Fb/x.csv", "data/year=2024/site=a%2Fb", "data/*/site=*/x.csv")
    uris = tuple((tree / word).as_uri() for word in ("data/year=2024/site=a%2Fb/x.csv",))
    for word in (*sites, *uris):
        (place,) = locate([word])
        assert (place.partition, place.above) == ((), (("year", "2024"), ("site", "a/b")))
    (place,) = locate(["data/year=2024"])
    assert (place.partition, place.above) == ((("site", "a/b"),), (("year", "2024"),))


@pytest.mark.parametrize(
    "pattern",
    ["*.csv", "**", "**/*.csv", "data/*", "data/*/*.csv", "data/**/x.csv", "*/b.*", "data/[ab].*", "**/.*",
     "data/year=*/**", "none/*", "data/b.csv*"],
)  # fmt: skip
def test_a_pattern_in_a_store_fits_what_it_fits_on_disk(tree: Path, pattern: str) -> None:
    on_disk = {path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path)}
    files = [path.relative_to(tree) for path in tree.rglob("*") if path.is_file()]
    assert {str(path) for path in files if _fits(path.parts, pattern.split("/"))} == on_disk


@pytest.mark.slow
class TestStore:
    """Against a real S3 server on this machine."""

    @pytest.fixture
    def filled(self, bucket: Bucket) -> Bucket:
        for key in ("in/b.csv", "in/year=2026/a b.csv", "in/_SUCCESS", "in/notes.txt", "in/.h.csv", "x.csv"):
            bucket.put(key, "a\n1\n")
        bucket.requests()
        return bucket

    def test_a_folder_is_listed_once(self, filled: Bucket) -> None:
        word = filled.address("in/")
        places = locate([word])
        assert [(place.name, place.relative, place.partition) for place in places] == [
            (f"{word}b.csv", "b.csv", ()),
            (f"{word}year=2026/a%20b.csv", "year=2026/a b.csv", (("year", "2026"),)),
        ]
        said = (
            f"{word}: 1 file left out, whose name says no format of data: notes.txt; name it to have it read"
        )
        assert left_out([word]) == [said]
        assert len(filled.requests()) == 1
        assert left_out([word]) == [said]

    def test_hundreds_of_files_are_listed_by_one_request(self, bucket: Bucket) -> None:
        for number in range(300):
            bucket.put(f"in/{number}.csv", "a\n1\n")
        bucket.requests()
        assert len(locate([bucket.address("in/")])) == 300
        assert len(bucket.requests()) == 1

    def test_a_name_leads_to_what_it_names(self, filled: Bucket) -> None:
        for place in locate([filled.address("in"), filled.address("x.csv")]):
            assert place.object is not None
            assert place.object.open().read() == b"a\n1\n"
            again = locate([place.name])[0]
            assert (again.path, again.place) == (place.path, place.name)

    def test_files_that_fit_a_pattern(self, filled: Bucket) -> None:
        assert [place.path for place in locate([filled.address("in/*.csv")])] == [f"{filled.name}/in/b.csv"]
        assert len(locate([filled.address("**/*.csv")])) == 3
        place = locate([filled.address("in/year=*/*")])[0]
        assert (place.partition, place.above, place.relative) == ((), (("year", "2026"),), "")

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("none.csv", "no such file or directory"),
            ("none/", "no such file or directory"),
            ("none/*.csv", "no file matches this pattern"),
            ("in/*.parquet", "no file matches this pattern"),
        ],
    )
    def test_what_is_not_there(self, filled: Bucket, key: str, said: str) -> None:
        with pytest.raises(DataError) as caught:
            locate([filled.address(key)])
        assert str(caught.value) == f"{filled.address(key)}: {said}"

    def test_the_bucket_has_no_pattern(self) -> None:
        with pytest.raises(UsageError, match="name the bucket itself"):
            locate(["s3://b*/x.csv"])
