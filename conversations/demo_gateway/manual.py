"""What a record player's manual might say: the demo gateway's longer texts."""

import re

from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Reply, say

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


def long(length: int) -> str:
    """Sections about grooves, of so many characters in all."""
    sections = (SECTION.format(number=number) for number in range(1, length // 400 + 2))
    return "".join(sections)[:length]


def characters(conversation: Conversation, rest: str) -> Reply:
    """As many characters as the question names, a thousand if it names none."""
    number = re.search(r"\d+", rest)
    return say(long(int(number.group()) if number else 1000))


def formulas(conversation: Conversation, rest: str) -> Reply:
    """An answer with formulas, and code in two languages."""
    return say(FORMULAS)
