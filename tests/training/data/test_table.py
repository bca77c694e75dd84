"""The label table: what is read, what is kept together, what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.table import TableError, group_of, of_split, read_table


@pytest.mark.parametrize(
    ("name", "source", "group"),
    [
        ("lfw_Bronson_Arroyo_0001.jpg", "lfw", "person Bronson_Arroyo"),
        ("ytf_Bronson_Arroyo_40_v2.jpg", "ytf", "person Bronson_Arroyo"),
        ("helen_2064711146_1.jpg", "helen", "photo 2064711146"),
        ("face_low_2064711146_1.jpg", "face_low", "photo 2064711146"),
        ("ccp_0026.jpg", "ccp", "ccp 1"),
        ("ccp_body_0049.jpg", "ccp_body", "ccp 1"),
        ("comp_ccp0030_160068.jpg", "comp", "ccp 1"),
        ("lspet_00647.jpg", "lspet", "lspet 64"),
        ("lspet_crop_00650.jpg", "lspet_crop", "lspet 64"),
        ("profile_lspet_00641.jpg", "profile", "lspet 64"),
        ("camvid_0016E5_07967.jpg", "camvid", "camvid 0016E5"),
        ("scene_crop_bsds_196027.jpg", "scene_crop", "bsds_196027"),
        ("bsds_196027.jpg", "bsds", "bsds_196027"),
    ],
)
def test_what_shows_the_same_stays_in_one_group(name: str, source: str, group: str) -> None:
    assert group_of(name, source) == group


def test_a_table_becomes_three_splits_and_no_group_is_in_two(make_table: Callable[..., Path]) -> None:
    pictures = read_table(make_table(30))
    by_split = {split: of_split(pictures, split) for split in ("train", "hold_out", "val")}
    assert sum(map(len, by_split.values())) == len(pictures) == 240
    assert len(by_split["val"]) == 60
    assert 0 < len(by_split["hold_out"]) < len(by_split["train"])
    groups = [{group_of(p.path.name, p.source) for p in members} for members in by_split.values()]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_the_most_prominent_face_comes_first(make_table: Callable[..., Path]) -> None:
    folder = make_table(2)
    table = folder / "all_faces.csv"
    name, u, v = next(
        line.split(",")[0:1] + line.split(",")[4:6]
        for line in (folder / "labels.csv").read_text().splitlines()
        if ",positive," in line
    )
    rows = table.read_text().splitlines()
    table.write_text("\n".join([rows[0], f"{name},1.0,2.0,5.0,teacher", *rows[1:]]))
    first = next(p for p in read_table(folder) if p.path.name == name)
    assert [(f.u, f.v) for f in first.faces] == [(float(u), float(v)), (1.0, 2.0)]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "labels.csv").unlink(), "labels.csv"),
        (lambda folder: (folder / "all_faces.csv").write_text("image,u\n"), "interocular_px"),
        (lambda folder: (folder / "labels.csv").write_bytes(b"\xff\xfe\x00"), "not a readable table"),
        (lambda folder: (folder / "labels.csv").write_text("image,source,split,label,u,v,interocular_px\n"), "no rows"),
        (
            lambda folder: (folder / "labels.csv").write_text(
                "image,source,split,label,u,v,interocular_px\na.jpg,x,train,positive,one,2,3\n"
            ),
            "one",
        ),
    ],
)
def test_a_bad_table_is_named(make_table: Callable[..., Path], spoil: Callable[[Path], None], said: str) -> None:
    folder = make_table(2)
    spoil(folder)
    with pytest.raises(TableError, match=said):
        read_table(folder)
