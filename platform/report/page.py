"""What every HTML page of ours is made of: one file, nothing loaded from elsewhere, nothing unescaped."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import resources

import jinja2
from markupsafe import Markup


def render_page(template: str, script: str | None, filters: Mapping[str, Callable[..., str]], **values: object) -> str:
    """Render a template beside this module with `report.css` and a script of ours, if any; all values are escaped."""
    style, code = Markup(asset("report.css")), Markup(asset(script) if script else "")  # noqa: S704  (our own files)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    policy = content_security_policy(style, code)
    return environment.from_string(asset(template)).render(style=style, script=code, policy=policy, **values)


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that lets in this style, this script and data images, and nothing else."""
    return (
        "default-src 'none'; img-src data:; "
        f"style-src {_source_hash(style)}; script-src {_source_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def asset(name: str) -> str:
    """Return the text of a file beside this module."""
    return (resources.files("emocal_rl.platform.report") / name).read_text(encoding="utf-8")


def json_for_script(value: object) -> Markup:
    """Embed JSON in a script element: no character that could end the element or start a comment survives."""
    text = json.dumps(value, allow_nan=False)  # ASCII only, so that U+2028 is escaped too
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def svg_uri(svg: str) -> str:
    """Return a figure as the source of an image."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
