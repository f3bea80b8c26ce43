"""The shape of an SLI file: one SLI of the library, with the parameters that a definition gives it."""

from typing import Literal

from pydantic import Field

from sloforge.parse.shapes import Flag, KindShape, Shape, Text, Words


class ParameterShape(Shape):
    """One of `parameters`. It has to be given, unless it has a default or is optional.

    The type says what a value is, and so how it is put into the SLI: a `label` value and a `pattern` (a regular
    expression) between quotes; the `name` of a metric or label, a `duration` and a `number` as they are.
    """

    description: Text
    type: Literal["label", "pattern", "name", "duration", "number"] = "label"
    default: Text | None = None
    optional: Flag = False
    values: list[Text] = Field([])


class SliFile(Shape):
    """An SLI file. `[[ name ]]` in `sli` stands for the parameter `name`."""

    api_version: Literal["sloforge-sli/v1"] = Field(alias="apiVersion")
    title: Text
    counts: Text
    leaves_out: Text
    source: Text
    parameters: dict[str, ParameterShape] = Field({})
    sli: KindShape
    counter: Literal["process", "ledger"] | None = None
    births: Literal["up", "always", "never"] | None = None
    example: Words
