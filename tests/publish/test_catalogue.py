"""The list of published LT-SFT vectors is complete in itself, and of ids and codes that the rest of the project reads."""

from deftx.data.languages import load_languages
from deftx.hub.client import read_name
from deftx.publish.catalogue import published
from deftx.vectors.card_data import LANGUAGE_CODE


def test_every_entry_can_be_asked_for_and_says_what_it_is():
    entries = published()
    assert len({one.id for one in entries}) == len(entries)
    for one in entries:
        assert read_name(one.id).id == one.id
        assert one.base == "xlm-roberta-base"
        assert (one.kind == "task") == bool(one.labels)
        assert one.language
        assert LANGUAGE_CODE.fullmatch(one.code) or (one.kind == "task" and one.code == "")
        assert one.kind == "task" or one.id == f"cambridgeltl/xlmr-lang-sft-{one.id.split('-')[-2]}-small"


def test_the_paper_s_languages_are_among_them():
    codes = {one.code for one in published() if one.kind == "language"}
    assert {"ace", "ban", "bjn", "ind", "jav", "mad", "min", "sun"} <= codes
    assert {"cni", "bzd", "gn", "nah", "oto", "quy", "tar", "shp", "hch"} <= codes


def test_codes_are_those_of_the_language_profiles():
    profiles = {profile.name: profile.code for profile in load_languages().profiles}
    for one in published():
        if one.kind == "language" and one.language in profiles:
            assert one.code == profiles[one.language]
