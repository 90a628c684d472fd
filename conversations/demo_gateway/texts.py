"""Texts of the demo gateway: a record shop and a record player's manual, in every form of answers."""

THOUGHT = (
    "The user wants to see how reasoning looks. First it is said what is wanted, then what is known, "
    "and then what follows. Nothing more is needed."
)
MARKDOWN = """# A record shop in five lines

Bandoneon, *chanson* and **dub** on one shelf, as in [the catalogue](https://example.com/catalogue).

## What is in stock

1. Singles
   - 7 inch, 45 rpm
   - 10 inch, 78 rpm
2. Albums

| Title | Artist | Minutes |
| --- | --- | ---: |
| Elemental Hotel | 8 Storey Hike | 3.5 |
| Señora Blue | The Überground | 4.25 |

```python
def minutes(seconds: int) -> float:
    \"\"\"How long a side is.\"\"\"
    return seconds / 60 if seconds > 0 else 0.0
```

> Turn it over when the needle reaches the label.

---

Inline code is `rpm = 100 / 3`, and <b>HTML</b> stays as it was written.
"""
FORMULAS = r"""# How fast a groove goes by

A record of radius $r$ that turns $n$ times a minute passes the needle at \(v = 2\pi r n / 60\):

| Record | $r$ in m | $n$ | $v$ in m/s |
| --- | ---: | ---: | ---: |
| 12 inch, outside | 0.146 | $33\frac{1}{3}$ | 0.51 |
| 7 inch, outside | 0.084 | 45 | 0.40 |

The length of a groove of pitch $p$ between two radii is

$$
L = \int_{r_1}^{r_2} \frac{2\pi r}{p}\,dr = \frac{\pi}{p}\left(r_2^2 - r_1^2\right)
$$

```python
def length(inner: float, outer: float, pitch: float) -> float:
    # In metres; some 450 m for a side.
    return math.pi * (outer**2 - inner**2) / pitch
```

```sql
SELECT title, round(length / 0.45, 1) AS seconds FROM grooves WHERE side = 'A';
```

- [x] measured with ~~a ruler~~ a gauge
- [ ] paid: the gauge costs $5 or $6
"""
SECTION = r"""## {number}. About the *groove*

A turntable turns a **record** at a steady speed while a needle follows its groove, {number} times or more.

- The groove holds the sound as a wave.
- The needle gives it back as a `voltage`, of about $U_{{{number}}} = 5\,\mathrm{{mV}}$.

```python
def turns(minutes: float) -> float:
    return minutes * 100 / 3  # side {number}
```

| Side | Turns |
| --- | ---: |
| A | {number} |

> What is heard at last is the shop's choice, the engineer's, and a little of the dust's.

"""
SENTENCES = (
    "A turntable turns a record at a steady speed while a needle follows its groove.",
    "The groove holds the sound as a wave, and the needle gives it back as a voltage.",
    "Thirty-three and a third turns a minute suit an album, forty-five suit a single.",
    "A worn needle is changed before it wears the record, which cannot be changed.",
    "What is heard at last is the shop's choice, the engineer's — and a little of the dust's.",
)
SOURCES = (
    {
        "title": "Turntables",
        "location": {"web": {"url": "https://example.com/turntables", "domain": "example.com"}},
    },
    {
        "title": "Manual",
        "sourceContent": [{"text": "thirty-three and a third turns a minute"}],
        "location": {"documentChar": {"documentIndex": 0, "start": 10, "end": 49}},
    },
)
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAWUlEQVR42u3T0RSEAAAAwQULIIAAAggggAACCCCAAA4ggAACOYh9/e04DIPEJLFI"
    "bBKHxCVxS7wSo8QssUrsEqfET+KRqHOd61znOte5znWuc53rXOevOv8BsHfQeRegwYwAAAAASUVORK5CYII="
)
"""A PNG of 64 by 64, grey stripes."""


def paragraphs(count: int) -> str:
    """That many paragraphs about turntables, numbered."""
    turned = [[SENTENCES[(number + step) % 5] for step in range(4)] for number in range(count)]
    return "\n\n".join(f"{number}. {' '.join(sentences)}" for number, sentences in enumerate(turned, 1))


def sections(length: int) -> str:
    """Sections about grooves, of so many characters in all."""
    sections = (SECTION.format(number=number) for number in range(1, length // 400 + 2))
    return "".join(sections)[:length]
