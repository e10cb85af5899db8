"""Options in sentences of the commands, as parameters of a request: `--no-header` is `header=false` there."""

import re

# With the value that the sentence gives it.
_OPTION = re.compile(r"(?<!\S)--(?P<no>no-)?(?P<name>[a-z]+(?:-[a-z]+)*)(?: '(?P<value>[^']*)')?")


def as_parameters(sentence: str) -> str:
    return _OPTION.sub(_parameter, sentence)


def _parameter(option: re.Match[str]) -> str:
    value = "false" if option["no"] else option["value"]
    return f"`{option['name'].replace('-', '_')}{'' if value is None else f'={value}'}`"
