"""What every HTML page of ours is made of: one file, nothing loaded from elsewhere, nothing unescaped."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import resources

import jinja2
from markupsafe import Markup


def render_page(
    template: str, script: str | None, filters: Mapping[str, Callable[..., object]], **values: object
) -> str:
    """Render a template beside this module with `report.css`; all values are escaped.

    Args:
        template: the template's file name.
        script: name of the one script of the page, which stands on `dom.js`; None for a page without any.
        filters: the template's own filters.
        values: what the template shows. A lone surrogate in it, which no file can hold, becomes a question mark.
    """
    style = Markup(asset("report.css"))  # noqa: S704  (our own files)
    code = Markup(asset("dom.js") + asset(script) if script else "")  # noqa: S704
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    policy = content_security_policy(style, code)
    page = environment.get_template(template).render(style=style, script=code, policy=policy, **values)
    return page.encode("utf-8", "replace").decode("utf-8")


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that lets in this style, this script (empty: none) and data images, and nothing else."""
    return (
        "default-src 'none'; img-src data:; "
        f"style-src {_source_hash(style)}; script-src {_source_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return "'none'" if not text else f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def asset(name: str) -> str:
    """Return the text of a file beside this module."""
    return (resources.files("emocal_rl.platform.report") / name).read_text(encoding="utf-8")


def json_for_script(value: object) -> Markup:
    """Embed JSON in a script element: no character that could end the element or start a comment survives.

    A lone surrogate, which is no text, becomes a question mark.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def svg_uri(svg: str) -> str:
    """Return a figure as the source of an image."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
