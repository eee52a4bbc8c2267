"""Right texts of many languages stay, and come back from being read wrongly."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.unicode import repair

RIGHT = {
    "af": "Die vinnige bruin jakkals spring oor die lui hond; môre gaan ons see toe – dis mooi.",
    "az": "Zəfər, jaketini də papağını da götür, bu axşam hava çox soyuq olacaq.",
    "ca": "«Dóna amor que seràs feliç!», va dir la col·lega de l’il·lús company geniüt.",
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy. „To víš, Úžasný kříž,“ řekl.",
    "cy": "Parciais fy jac codi baw hud llawn dŵr ger tŷ Mabon; câr yr ŷd.",
    "da": "Høj bly gom vandt fræk sexquiz på wc; “Åh nej”, sagde Øjvind på ægte dansk.",
    "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich – „Äpfel, Öl und Übermut“.",
    "el": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· «Ελλάδα, Άνοιξη και Ήλιος».",
    "en": "It’s a long text with “quotes” – and a dash—or two… at 5 °C, 3½ miles, £20, ©2020.",
    "es": "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío, ¿añoraba a su querido cachorro? ¡Sí! Órgano, Ñandú, ÁRBOL.",
    "et": "Põdur Zagrebi tšellomängija-följetonist Ciqo külmetas kehvas garaažis; Ärge öelge “Õun”.",
    "fi": "Törkylempijävongahdus: Åke ja Äiti söivät jäätelöä yöllä – “hyvää päivää”.",
    "fr": "« Portez ce vieux whisky au juge blond qui fume », déjà à l’été, où l’Élève naïf préféra l’œuf ; ÇA ALORS ! Voilà… CAFÉ : 2,50 €",
    "ga": "D’fhuascail Íosa Úrmhac na hÓighe Beannaithe pór Éava agus Ádhaimh.",
    "hr": "Gojazni đačić s biciklom drži hmelj i finu vatu u džepu nošnje; Šime, Željko i Ćiro.",
    "hu": "Árvíztűrő tükörfúrógép; „Őrült írót” láttak az Örs utcában, Úgy ám!",
    "is": "Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa. Þá sagði “BLAÐ” og Ísland ÓÐ.",
    "it": "Perché? “Così è”, disse già più volte: È vero, ciò può accadere a città e virtù.",
    "lt": "Įlinkdama fechtuotojo špaga sublykčiojusi pragręžė apvalų arbūzą; „Žąsys ėjo“.",
    "lv": "Glāžšķūņa rūķīši dzērumā čiepj Baha koncertflīģeļu vākus. “Ēd!”",
    "mt": "Il-Ħadd fil-għaxija ġie l-għalliem; “Żgħażagħ”, qal.",
    "nl": "Pa’s wijze lynx bezag vroom het fikse aquaduct; coördinatie, reünie, één café à la carte.",
    "no": "Høvdingens kjære squaw får litt pizza i Mexico by; “Ærlig talt”, sa Åse på Ørsta.",
    "pl": "Zażółć gęślą jaźń; „Łódź, Śląsk i Żuk” – pchnąć w tę łódź jeża.",
    "pt": "À noite, vovô Kowalsky vê o ímã cair no pé do pinguim; “SÃO PAULO”, “NÃO”, “MAÇÔ, IRMÃ – AMANHÃ… Ação, às vezes, à toa, lições.",
    "ro": "Gheorghe, obezul, a reuşit să obţină jucându-se un flux în Quebec; „Înţelept”, „Țară”, Âme.",
    "sk": "Kŕdeľ šťastných ďatľov učí pri ústí Váhu mĺkveho koňa obhrýzať kôru; „Úžasný“, „Íž“.",
    "sl": "V kožuščku hudobnega fanta stopiclja mizar; “Žena čaka Čufarja”.",
    "sq": "Gëzuar! “Çelësi” është këtu; Ë e madhe, ç’kemi?",
    "sv": "Yxskaftbud, ge vår WC-zonmö IQ-hjälp; “Åsa åt Ägg i Örebro”, en ö, en å. 1,54 Å ± 0,02 Å³.",
    "tr": "Pijamalı hasta yağız şoföre çabucak güvendi; “İstanbul’da Üsküdar”, Çığ, Özgür, Şişli, ÂLİM.",
    "vi": "Đây là “tiếng Việt”: được dùng ở Việt Nam, Ăn quả nhớ kẻ trồng cây… ÂU CƠ, ĐÀ NẴNG, Ô TÔ.",
    "hi": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश।",
    "bn": "আমি তোমাকে ভালোবাসি, বাংলা ভাষা খুব সুন্দর।",
    "ta": "யாமறிந்த மொழிகளிலே தமிழ்மொழி போல் இனிதாவது எங்கும் காணோம்.",
    "te": "దేశ భాషలందు తెలుగు లెస్స అని రాయలు అన్నారు.",
    "th": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน",
    "ka": "გთხოვთ ახლავე გაიაროთ რეგისტრაცია კონფერენციაზე.",
    "hy": "Բել դղյակի ձախ ժամն օֆ ազգությանը ցպահանջ չճշտած վնաս էր եւ փառք։",
    "he": "דג סקרן שט בים מאוכזב ולפתע מצא חברה; “שלום”.",
    "ar": "صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت؛ «مرحباً»، العربية.",
    "fa": "«الف» می\u200cخواهم بروم؛ کتاب\u200cها را خواندم، گچ پژ.",
    "ur": "ٹھنڈ میں، ایک قحط زدہ گاؤں سے گذرتے وقت ایک چڑچڑے، باأثر و فارغ شخص کو بعض جل پری نما اژدہے نظر آئے۔",
    "ru": "Съешь же ещё этих мягких французских булок, да выпей чаю – «Ёлки».",
    "uk": "Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п’яне знаємо; «Їжак».",
    "bg": "Ах чудна българска земьо, полюшвай цъфтящи жита.",
    "zh": "网络存档变成多模态训练数据，“并用它训练模型”。",
    "ja": "いろはにほへと ちりぬるを。「カタカナ」と漢字も、あります！",
    "ko": "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.",
    "em": "Great 👍🏽 day 😀 for the family 👨\u200d👩\u200d👧 ❤️!",
}
"""Sentences with capitals, quotation marks, dashes and units, where languages have them."""

CLOSINGS = [
    "”",
    "’",
    "»",
    "\u00a0»",
    "\u00a0:",
    "…",
    "—",
    "–",
    "•",
    "™",
    "®",
    "°",
    "²",
    "¹",
    "º",
    "†",
    "§",
]


def read_wrongly(text: str, times: int = 1) -> str:
    """UTF-8 as a browser shows it that was told windows-1252."""
    for _ in range(times):
        text = "".join(
            chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes((byte,)).decode("cp1252")
            for byte in text.encode()
        )
    return text


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_right_text_stays(text):
    assert repair(text) == text
    assert repair(text.upper()) == unicodedata.normalize("NFC", text.upper())


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_words_stay_with_whatever_may_follow_them(text):
    words = {*text.split(), *unicodedata.normalize("NFC", text.upper()).split()}
    phrases = [
        f"{opening}{word}{closing}"
        for word in words
        for opening in ("", "“")
        for closing in CLOSINGS
    ]
    assert [phrase for phrase in phrases if repair(phrase) != phrase] == []


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_text_that_was_read_wrongly_comes_back(text, times):
    assert repair(read_wrongly(text, times)) == text


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_text_that_was_read_as_latin_1_comes_back(text):
    assert repair(text.encode().decode("latin-1")) == text


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("RenÃ©", "René"),
        ("Ã©tÃ©", "été"),
        ("Ãœber", "Über"),
        ("MÃœNCHEN", "MÜNCHEN"),
        ("Ã–sterreich", "Österreich"),
        ("StraÃŸe", "Straße"),
        ("SÃƒO PAULO", "SÃO PAULO"),
        ("donâ€™t", "don’t"),
        ("â€œyesâ€\x9d", "“yes”"),
        ("â€œyesâ€\ufffd", "“yes”"),
        ("2010â€“2014", "2010–2014"),
        ("and soâ€¦", "and so…"),
        ("Â£20, Â©2020, 5Â°C", "£20, ©2020, 5°C"),
        ("Hello.Â\u00a0World", "Hello.\u00a0World"),
        ("Re: Â\u00a0What", "Re: \u00a0What"),
        ("Hello.Â World", "Hello. World"),
        ("voilÃ\u00a0 le travail", "voilà le travail"),
        ("voilÃ le travail", "voilà le travail"),
        ("donâ€™t go Ã la plage", "don’t go à la plage"),
        ("ï»¿Title", "Title"),
        ("the Archiveï¿½s", "the Archive\ufffds"),
        ("ðŸ˜€", "😀"),
        ("Å½eljko, Å\u00a0koda", "Željko, Škoda"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
        ("×©×œ×•×\x9d", "שלום"),
        ("ä¸\xadæ–‡", "中文"),
        ("Ã\xadndice", "índice"),
        ("99Â\xadstel", "99stel"),
        ("he said \x93yes\x94 \x96 or not\x85", "he said “yes” – or not\x85"),
    ],
)
def test_what_is_surely_wrong_is_turned_back(wrong, right):
    assert repair(wrong) == right


@pytest.mark.parametrize(
    "text",
    [
        "déjà¹ vu",
        "voilà² le",
        "CAFÉ° et THɲ",
        "LIBERTÉ\u00a0: ÉGALITÉ\u00a0!",
        "libert\u00e9\u00a0»",
        "d\u00e9j\u00e0…»",
        "prix estimé\u00a0€",
        "SALARIÉ·E·S",
        "A·Ä·Ö·Ü·B",
        "IRMÔ e AMANHÃ…",
        "MAÇî e IRMÃ™",
        "BLAД",
        "ESPAÑ” NO",
        "To víš”",
        "Úžasný KŘÍŽ",
        "VÍŠ TO",
        "LAȘ",
        "a letra “Ô e a “”",
        "1,54 Å ± 0,02 ų, 5 Ų",
        "Ø½ inch, 2×½, 3×¾",
        "ʻOkina Oʼahu",
        "e.g. ¿Qué? ¡Órale!",
        "price £20 €30 ¥5 ¢10",
        "Þ… Ð—",
        "Ä, Ö, Ü: ÄÖÜ äöü ß",
        "€ ‚ ƒ „ … † ‡ ˆ ‰ Š ‹ Œ Ž ‘ ’ “ ” • – — ˜ ™ š › œ ž Ÿ",
        "".join(map(chr, range(0xA0, 0x100))).replace("\xad", ""),
    ],
)
def test_what_may_be_right_stays(text):
    assert repair(text) == text


def test_a_wrong_word_beside_a_right_one_is_turned_back_alone():
    assert repair("René et RenÃ© – CAFÉ\u00a0: 2\u00a0€") == "René et René – CAFÉ\u00a0: 2\u00a0€"


def test_a_proof_counts_for_its_own_line_only():
    # Ã followed by a closing quotation mark may be Ô, where everything else was read wrongly too.
    assert repair("ALLÃ”, RenÃ©") == "ALLÔ, René"
    assert repair("ALLÃ”\nRenÃ©") == "ALLÃ”\nRené"


@pytest.mark.parametrize("char", ["\u00ad", "\u200b", "\u2060", "\ufeff"])
def test_invisible_characters_go(char):
    assert repair(f"Donau{char}dampf{char}") == "Donaudampf"


@pytest.mark.parametrize(
    "text", ["می‌خواهم", "क्‍ष", "👨‍👩‍👧", "\u200fשלום\u200e", "\u061cعربي", "\u2067שלום\u2069", "❤️"]
)
def test_joiners_and_marks_of_direction_stay(text):
    assert repair(text) == text


def test_letters_are_composed():
    assert repair("Cafe\u0301 A\u030angstro\u0308m") == "Café Ångström"


# What decoding wrongly leaves behind, so that random texts are full of near misses.
SCRAMBLED = st.text(
    "ÂÃâðåÉØ×ÎÐ\x80\x81\x85\x9d\xa0\xad©°±ƒ€™”“…ŠœŽ¤¸½aZ é.漢\u200b\u0303\ufffd\ud800\n\r"
)


@given(st.one_of(SCRAMBLED, st.text()))
def test_repairing_twice_is_repairing_once(text):
    once = repair(text)
    assert repair(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(SCRAMBLED)
def test_line_breaks_stay(text):
    assert [c for c in repair(text) if c in "\r\n"] == [c for c in text if c in "\r\n"]


@given(st.lists(st.sampled_from(sorted(RIGHT)), min_size=1, max_size=4), st.integers(0, 2))
def test_paragraphs_of_any_languages_come_back(languages, times):
    text = "\n\n".join(RIGHT[language] for language in languages)
    assert repair(read_wrongly(text, times)) == text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "Ã" + "ƒ" * 300_000,
        "Ãƒ" * 150_000,
        "É\u00a0 " * 100_000 + "Ã©漢",
        "Ã©漢" * 100_000,
        "aÃ " * 100_000,
    ],
)
def test_hostile_lines_end(text):
    assert len(repair(text)) <= len(text)


def test_what_was_read_wrongly_more_often_than_ever_happens_stays():
    assert repair("Ã" + "ƒ" * 50) == "Ã" + "ƒ" * 50


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    ["docs/debian-handbook-es-ES-sect", "docs/debian-handbook-ar-MA-sect", "docs/gimp-help-en-200"],
)
def test_manuals_in_several_languages_stay(realdata, name):
    lines = set[str]()
    for record in read_records(realdata / f"warc/{name}.warc.gz", max_body=1 << 22):
        if not isinstance(record, Damage) and record.content_kind == "html":
            lines.update(decode_html(record.body, record.header("content-type"))[0].split("\n"))
    lines = {
        unicodedata.normalize("NFC", line)
        for line in lines
        if not set(line) & set("\u00ad\u200b\u2060\ufeff")
    }
    assert len(lines) > 500
    assert [line for line in lines if repair(line) != line] == []


MARKS = "\u0315\u0300\u05ae"  # of three classes, which normalising has to sort


@pytest.mark.parametrize("count", [1, 29, 30])
def test_marks_up_to_the_bound_stay(count: int) -> None:
    text = "q" + (MARKS * 10)[:count] + " ก" * 40
    assert repair(text) == unicodedata.normalize("NFC", text)


def test_more_marks_than_the_bound_cost_no_time() -> None:
    text = "q" + MARKS * 1_000_000
    assert repair(text) == repair("q" + MARKS * 10)
    assert repair(repair(text)) == repair(text)


def test_long_words_of_other_scripts_stay() -> None:
    for text in (
        "สวัสดีชาวโลกนี่คือข้อความภาษาไทยที่ยาวมากและไม่มีช่องว่าง",
        "ひらがなだけのとてもながいぶんしょうがつづいていくのをみる" * 2,
    ):
        assert repair(text) == text
