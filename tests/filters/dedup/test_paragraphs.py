from openm3w.filters.dedup.paragraphs import paragraph_key, paragraph_keys, paragraphs

URL = "https://www.example.co.uk/a"


def test_blank_lines_part_paragraphs():
    assert paragraphs("one\ntwo\n\nthree\n\n \n\n") == ["one\ntwo", "three"]


def test_keys_come_with_their_places():
    places = [(at, number) for at, number, _ in paragraph_keys(URL, ["a\n\nb", "", "c"])]

    assert places == [(0, 0), (0, 1), (2, 0)]


def test_one_domain_has_one_key_whatever_the_host_case_or_spacing():
    (one,) = paragraph_keys(URL, ["Share  THIS page"])
    (other,) = paragraph_keys("http://news.example.co.uk/b?c", ["share this\npage"])

    assert one == other
    assert len(one[2]) == 16


def test_another_domain_or_word_makes_another_key():
    (one,) = paragraph_keys(URL, ["share this page"])
    (elsewhere,) = paragraph_keys("https://example.org/a", ["share this page"])
    (reworded,) = paragraph_keys(URL, ["share that page"])

    assert len({one[2], elsewhere[2], reworded[2]}) == 3
    assert paragraph_key("a.org", "b") != paragraph_key("a.orgb", "")
