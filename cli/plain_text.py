from rich.text import Text


def plain_text(text: str, style: str = "") -> Text:
    """Return foreign text as it is: no markup, and every character that a terminal would act on replaced."""
    return Text("".join(letter if letter.isprintable() else "\ufffd" for letter in text), style)
