"""An address goes, and every word of the text around it stays, also where no space is written between them."""

import pytest

from deftx.data.addresses import address_spans, without_addresses


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("ดูที่https://example.com/xแล้วกลับมา", "https://example.com/x"),
        ("အသေးစိတ်ကိုwww.example.comတွင်ကြည့်ပါ။ထို့နောက်", "www.example.com"),
        ("មើលhttps://example.com/km?x=1បន្ទាប់", "https://example.com/km?x=1"),
        ("ສະບາຍwww.example.com:8080/a,bດີ", "www.example.com:8080/a,b"),
        ("བོད་https://example.com/aབོད་ཡིག", "https://example.com/a"),
        ("ᬅᬓᬸwww.example.comᬮᬸᬂ", "www.example.com"),
        ("ꦲꦏꦸwww.example.com/aꦭꦸ", "www.example.com/a"),
        ("ሰላም፡https://example.com፡ሁሉ", "https://example.com"),
        ("有问题请写信给abc@example.com谢谢大家的支持", "abc@example.com"),
        ("详情请看https://example.com/abc。这里是后面的句子", "https://example.com/abc"),
        ("日本語はhttps://example.jp/a（カッコ）を見て", "https://example.jp/a"),
        ("https://example.com에서 보세요", "https://example.com"),
        ("смотриhttps://example.comздесь", "https://example.com"),
        ("https://ru.wikipedia.org/wiki/Минангкабау тут", "https://ru.wikipedia.org/wiki/Минангкабау"),
        ("https://id.wikipedia.org/wiki/Padang_(kota), elok", "https://id.wikipedia.org/wiki/Padang_(kota)"),
        ("https://de.wikipedia.org/wiki/Köln. Dort", "https://de.wikipedia.org/wiki/Köln"),
        ("(lihat http://localhost:3000/x)", "http://localhost:3000/x"),
        ("иван@почта.рф пишет", "иван@почта.рф"),
        ("user@münchen.example ya", "user@münchen.example"),
    ],
)
def test_an_address_ends_where_the_text_goes_on(line, address):
    assert [line[start:end] for start, end in address_spans(line)] == [address]
    left = without_addresses(line)
    assert [letter for letter in left if letter.isalpha()] == [
        letter for letter in line.replace(address, "") if letter.isalpha()
    ]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Caliak (https://example.com/a) untuak lanjuik.", "Caliak untuak lanjuik."),
        ("lihat https://a.example, lalu", "lihat, lalu"),
        ("tulis ke a.b@contoh.example.", "tulis ke."),
        ("dua www.a.example www.b.example tiga", "dua tiga"),
        ("https:// dan www. dan a@b", "https:// dan www. dan a@b"),
        ("awww.example.com", "awww.example.com"),
        ("3.14 jam 10:30", "3.14 jam 10:30"),
    ],
)
def test_punctuation_of_the_sentence_stays(line, left):
    assert " ".join(without_addresses(line).split()) == left


@pytest.mark.parametrize("line", ["a." * 50_000, "https://" * 20_000, "1" * 100_000 + "@", "www.a" + ")" * 20_000])
def test_a_hostile_line_takes_no_more_than_linear_time(line):
    # Quadratic patterns would exceed the time limit of the suite here.
    assert isinstance(without_addresses(line * 3), str)
