"""The base of every config section: strict, frozen, documented field by field."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the config tree. Unknown keys fail, values cannot change, a docstring stands under every field."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
