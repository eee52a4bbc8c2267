from openm3w.filters.dedup.images import image_key, image_set_key


def test_one_address_has_one_key_however_it_is_spelt():
    assert image_key("http://Example.org:80/a.png#x") == image_key("http://example.org/a.png")
    assert len(image_key("http://example.org/a.png")) == 16
    assert image_key("http://example.org/a.png") != image_key("http://example.org/b.png")


def test_a_set_has_neither_order_nor_number():
    a, b = "http://example.org/a.png", "http://example.org/b.png"

    assert image_set_key([a, b]) == image_set_key([b, a, "http://EXAMPLE.org/b.png"])
    assert len({image_set_key(urls) for urls in ([a], [b], [a, b], [])}) == 4
    assert image_set_key([]) == b""
