"""Composing on the page: the form, the answers side by side, and people who test different combinations at once."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_ui_handlers import filled_in
from tiny_base import finish_language_job, finish_pair_job, finish_task_job, write_corpus

from deftx.classify.attribution import Attribution, WordWeight
from deftx.classify.composition import compose
from deftx.classify.doubts import Doubt
from deftx.core.errors import DeftxError, VectorError
from deftx.jobs import Store
from deftx.vectors.merging import METHODS, MergeReport, VectorReport
from ui import strings
from ui.api import api_compose
from ui.classify import answering, compose_form, compose_views
from ui.classify.combination import SIDES, Combination
from ui.classify.composing import Comparison
from ui.studio import Studio

TEXT = "the food is <good> but awful"


@pytest.fixture(scope="module")
def trained(page_base, tmp_path_factory):
    """A home with a task, a task on pairs and two languages, trained once."""
    home = tmp_path_factory.mktemp("home")
    store = Store(home)
    corpus = write_corpus(home / "corpus.txt")
    jobs = {
        "task": finish_task_job(store, page_base),
        "pair": finish_pair_job(store, page_base),
        "language": finish_language_job(store, page_base, corpus),
        "other": finish_language_job(store, page_base, write_corpus(home / "other.txt", lines=200), "Other"),
    }
    return home, {name: job.id for name, job in jobs.items()}


@pytest.fixture
def studio(page_base, trained):
    return Studio(str(page_base), Store(trained[0]))


@pytest.fixture
def keys(trained):
    return {name: f"job:{job}" for name, job in trained[1].items()}


def composed_anew(studio, keys, order):
    """The library's own answer, without anything that is kept."""
    return compose(
        studio.base(), task=studio.composing.find(order).entries[0].folder, strength_task=order.strength_task,
        languages=[(entry.folder, strength) for entry, (_, strength)
                   in zip(studio.composing.find(order).entries[1:], order.languages, strict=True)],
        method=order.method, parameters=dict(order.parameters),
    )  # fmt: skip


def test_doubts_name_languages_in_the_page_s_language():
    values = {"found": "English", "expected": "Balinese", "found_code": "eng", "expected_codes": ("ban",)}
    doubt, said = Doubt("language", values), {}
    for code in strings.SPOKEN:
        with strings.speaking(code):
            said[code] = compose_views._verdict("positive", (doubt,))
    assert "This looks like English, not Balinese." in said["en"]
    assert "Ini tampak seperti bahasa Inggris, bukan bahasa Bali." in said["id"]
    assert "inglés" in said["es"]
    assert "balinés" in said["es"]


@pytest.mark.slow
def test_every_side_is_the_library_s_answer(studio, keys):
    order = Combination.of(keys["task"], [(keys["language"], 0.5), (keys["other"], 1.5)], 0.8)
    compared = studio.composing.compare(order, TEXT)
    assert list(compared.sides) == list(SIDES)
    for name, shares in compared.sides.items():
        expected = composed_anew(studio, keys, order.side(name)).classify([TEXT])[0].tolist()
        assert list(shares.values()) == expected, name
    assert len({tuple(shares.values()) for shares in compared.sides.values()}) == 4
    assert [vector.strength for vector in compared.report.vectors] == [0.8, 0.5, 1.5]


def test_without_a_language_there_are_two_sides(studio, keys):
    compared = studio.composing.compare(Combination.of(keys["task"]), TEXT)
    assert list(compared.sides) == ["neither", "task"]
    assert compose_views.change_sentence(compared) == strings.CHANGE_NO_LANGUAGE


def test_only_what_a_change_touches_is_worked_out_again(studio, keys):
    def misses(strength):
        before = studio.composing._answer.cache_info().misses
        studio.composing.compare(Combination.of(keys["task"], [(keys["language"], strength)]), TEXT)
        return studio.composing._answer.cache_info().misses - before

    assert misses(1.0) == 4
    assert misses(0.5) == 2  # the language alone, and both
    assert misses(1.0) == 0


def test_people_who_test_different_combinations_at_once_see_their_own(studio, keys):
    orders = [
        Combination.of(keys["task"], [(keys["language"], strength)], task_strength, method)
        for strength, task_strength, method in ((0.2, 1.0, "sum"), (1.0, 0.4, "ties"), (2.0, 1.0, "dare"), (1.5, 2.0, "sum"))
    ]  # fmt: skip
    expected = [composed_anew(studio, keys, order).classify([f"{TEXT} word {i}"])[0].tolist()
                for i in range(3) for order in orders]  # fmt: skip

    def person(number):
        turns = [(i, order) for i in range(3) for order in orders]
        turns = turns[number * 3 :] + turns[: number * 3]
        seen = {}
        for i, order in turns:
            compared = studio.composing.compare(order, f"{TEXT} word {i}")
            seen[i, orders.index(order)] = list(compared.sides["both"].values())
            studio.composing.words(orders[number], TEXT)
        return [seen[key] for key in sorted(seen)]

    with ThreadPoolExecutor(4) as people:
        assert list(people.map(person, range(4))) == [expected] * 4


def test_a_composed_classifier_is_nobody_else_s(studio, keys):
    order = Combination.of(keys["task"], [(keys["language"], 1.0)])
    classifier = studio.composed(order)
    before = classifier.classify([TEXT])
    studio.composing.compare(Combination.of(keys["task"], [(keys["language"], 2.0)]), TEXT)
    assert studio.composed(order) is classifier
    assert classifier.classify([TEXT]).equal(before)


def test_a_vector_that_was_replaced_is_read_anew(studio, keys, trained, page_base, tmp_path):
    home = shutil.copytree(trained[0], tmp_path / "home")
    own = Studio(str(page_base), Store(home))
    order = Combination.of(keys["task"])
    before = own.composing.compare(order, TEXT).sides["task"]
    folder = own.composing.find(order).entries[0].folder
    other = finish_task_job(Store(home), page_base, "Again")
    pair = own.composing.find(Combination.of(keys["pair"])).entries[0].folder
    shutil.rmtree(folder)
    shutil.copytree(pair, folder)
    assert own.composing.compare(order, (TEXT, TEXT)).sides["task"].keys() == {"no", "yes"}
    assert before.keys() == {"negative", "positive"} != {"no", "yes"}
    assert own.composing.compare(Combination.of(f"job:{other.id}"), TEXT).sides["task"].keys() == before.keys()


def test_the_form_gives_the_combination(keys):
    values = filled_in(task=keys["task"], language=keys["language"], strength_language=0.35, method="dare",
                       **{"language_3": keys["other"], "strength_3": 2, "dare.drop": 0.9, "dare.seed": 7.0})  # fmt: skip
    order = compose_form.combination_of(values)
    assert order.languages == ((keys["language"], 0.35), (keys["other"], 2.0))
    assert dict(order.parameters) == {"drop": 0.9, "seed": 7}
    assert hash(order) == hash(compose_form.combination_of(dict(values)))
    with pytest.raises(DeftxError, match="seed = None"):
        compose_form.combination_of({**values, "dare.seed": None})
    with pytest.raises(DeftxError, match="strength of a vector"):
        compose_form.combination_of({**values, "strength_3": None})


def test_every_method_has_its_words():
    assert strings.MERGE_METHODS.keys() == strings.MERGE_DID.keys() == METHODS.keys()
    known = {name for method in METHODS.values() for name in method.parameters}
    assert strings.MERGE_PARAMETERS.keys() == strings.MERGE_PARAMETER_HINTS.keys() == known
    assert strings.SIDES.keys() == SIDES.keys()


def test_a_task_on_pairs_asks_for_both_texts(studio, keys):
    assert compose_form.needs_pair(keys["pair"])
    assert not compose_form.needs_pair(keys["task"])
    assert not compose_form.needs_pair(None)
    one = filled_in(task=keys["pair"])
    assert strings.NO_PAIR in answering.show(one)[0]
    shown, sides, *_ = answering.show({**one, "second": "the food was <b>bad</b>"})
    assert "&lt;b&gt;bad&lt;/b&gt;" in shown
    assert shown.count("<blockquote>") == 2
    assert "yes" in sides
    words, _ = answering.show_words({**one, "second": "the food was <b>bad</b>"})
    assert words.count('<p class="words">') == 2
    assert "<b>bad" not in words


def test_what_somebody_types_cannot_become_markup(studio, keys):
    values = filled_in(task=keys["task"], language=keys["language"], text=TEXT)
    for shown in (*answering.show(values), *answering.show_words(values)):
        assert shown
        assert "<good>" not in shown
    assert all("&lt;good&gt;" in shown for shown in answering.show_words(values))


def test_no_answer_has_no_words(studio, keys):
    assert answering.show_words(filled_in()) == ("", "")
    assert answering.show_words(filled_in(task=keys["task"], text=" ")) == ("", "")
    assert compose_views.words_view(Attribution("good", (), 0.0)) == ""


def compared(without, both):
    return Comparison(None, "", {"neither": {}, "task": without, "language": {}, "both": both}, None)


@pytest.mark.parametrize(
    ("without", "both", "sentence"),
    [
        ((0.7, 0.3), (0.2, 0.8), "With the language vector, the answer changes from “good” (70.0%) to “bad” (80.0%)."),
        ((0.6, 0.4), (0.9, 0.1), "With the language vector, “good” rises from 60.0% to 90.0%."),
        ((0.9, 0.1), (0.6, 0.4), "With the language vector, “good” falls from 90.0% to 60.0%."),
        (
            (0.6, 0.4),
            (0.602, 0.398),
            "The language vector hardly changes this answer: “good” goes from 60.0% to 60.2%.",
        ),
    ],
)
def test_one_sentence_says_what_the_language_changed(without, both, sentence):
    sides = [dict(zip(("good", "bad"), shares, strict=True)) for shares in (without, both)]
    assert compose_views.change_sentence(compared(*sides)) == sentence


def test_the_report_says_in_numbers_what_was_dropped_and_resolved():
    report = MergeReport("ties", 5_000, 1_200, 300, 0, (VectorReport("min", 0.5, 4_000, 1_100, 250),))
    shown = compose_views.merge_view(report, ["min <vector>"])
    for number in ("5,000", "1,200", "300", "4,000", "1,100", "250", "2,650", "min &lt;vector&gt;"):
        assert number in shown


def test_words_are_marked_by_a_sign_and_not_by_colour_alone():
    words = (WordWeight("good", 2.0, 0, 4), WordWeight("not", -1.0, 5, 8), WordWeight("the", 0.01, 9, 12),
             WordWeight("cut", None, 13, 16))  # fmt: skip
    shown = compose_views.words_view(Attribution("positive", words, 0.1))
    assert '<span class="for" style="--weight:1.00">good<sup>+</sup></span>' in shown
    assert '<span class="against" style="--weight:0.50">not<sup>−</sup></span>' in shown
    assert "<span>the</span>" in shown
    assert '<span class="cut">cut</span>' in shown
    assert strings.WORDS_CUT in shown
    listed = compose_views.words_table(Attribution("positive", words, 0.1))
    assert strings.WORD_NOT_READ in listed
    assert listed.index(">good</th>") < listed.index(">not</th>") < listed.index(">the</th>")


def test_a_program_gets_probabilities_and_the_report(studio, keys):
    found = api_compose.answer(keys["task"], [TEXT, "the day"], {keys["language"]: 0.5}, 1.0, "ties", {"keep": 0.5})
    order = Combination.of(keys["task"], [(keys["language"], 0.5)], 1.0, "ties", {"keep": 0.5})
    expected = composed_anew(studio, keys, order).classify([TEXT, "the day"]).tolist()
    assert [list(row.values()) for row in found["probabilities"]] == expected
    assert found["labels"] == ["negative", "positive"]
    assert found["report"]["method"] == "ties"
    assert found["report"]["vectors"][0]["dropped"] > 0
    pair = api_compose.answer(keys["pair"], [["the day", "the night"]], None, 1.0, "sum", None)
    assert pair["probabilities"][0].keys() == {"no", "yes"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"texts": "the day"}, "texts must be a list"),
        ({"languages": ["min"]}, "strength of each language vector"),
        ({"texts": [["one"]]}, "is not a text"),
        ({"texts": [3]}, "is not a text"),
        ({"texts": [["one", "two"]]}, "needs single sentences"),
        ({"strength_task": "much"}, "cannot be the strength"),
        ({"strength_task": float("inf")}, "cannot be the strength"),
        ({"method": "tise"}, "Did you mean 'ties'"),
        ({"parameters": {"keep": 0.5}}, "has no parameter"),
        ({"task": ""}, "choose a task vector"),
        ({"task": "../../etc"}, "is not known"),
        ({"texts": [TEXT] * 1_001}, "pass at most 1,000, or a file to /classify_file"),
        ({"texts": ["half \ud83d"]}, "expected a text of valid characters"),
        ({"parameters": ["keep"]}, "expected an object"),
        ({"method": None}, "expected a text"),
        ({"strength_task": 1e300}, "not finite numbers"),
    ],
)
def test_what_a_program_asks_wrongly_is_refused_in_words(studio, keys, changed, reason):
    asked = {"task": keys["task"], "texts": [TEXT], "languages": None, "strength_task": 1.0, "method": "sum",
             "parameters": None}  # fmt: skip
    with pytest.raises(DeftxError, match=reason):
        api_compose.answer(**{**asked, **changed})


def test_a_key_that_stands_for_nothing_is_refused(studio, keys):
    with pytest.raises(VectorError):
        studio.composed(Combination.of(keys["task"], [("/tmp", 1.0)]))


def test_a_text_that_is_not_read_to_its_end_is_said(studio, keys):
    order = Combination.of(keys["task"], [(keys["language"], 1.0)])
    read, cut = (studio.composing.compare(order, text) for text in (TEXT, "the food is good " * 300))
    longest = studio.composed(order).max_length
    assert (read.cut, cut.cut) == (None, longest)
    said = strings.TEXT_CUT.format(most=longest)
    assert said in compose_views.answer_view(cut, "CPU")
    assert "the food is good the" in (shown := compose_views.answer_view(cut, "CPU"))
    assert shown.count("food") < 20  # the verdict stays in sight
    assert strings.TEXT_FULL.format(most=4_000) in shown  # the field takes no more
    assert strings.TEXT_FULL.format(most=4_000) not in compose_views.answer_view(read, "CPU")
    assert said not in compose_views.answer_view(read, "CPU")


def test_words_without_spaces_between_them_are_shown_without_spaces():
    words = (WordWeight("ดี", 1.0, 0, 2), WordWeight("มาก", 0.5, 2, 5), WordWeight("ครับ", None, 6, 10))
    shown = compose_views.words_view(Attribution("good", words, 0.0))
    assert "</sup></span><span" in shown
    assert "</span> <span" in shown
