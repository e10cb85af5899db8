"""Settings as they are written, and as they are taken."""

from pathlib import Path

import pytest

from skg_site.env import SettingsError, load
from tests.support.environment import service_variables


def test_type_predicates_are_taken_as_terms_are_kept(tmp_path: Path) -> None:
    variables = service_variables(tmp_path) | {"SKG_TYPE_PREDICATES": "is_a, esp\u00e8ce, genre\u0301"}
    assert load(variables).type_predicates == ["is_a", "esp\u00e8ce", "genr\u00e9"]


def test_a_type_predicate_that_no_term_can_be_stops_the_start(tmp_path: Path) -> None:
    variables = service_variables(tmp_path) | {"SKG_TYPE_PREDICATES": "x" * 501}
    with pytest.raises(SettingsError, match="must have at most 500 characters"):
        load(variables)


def test_a_secret_s_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    variables = service_variables(tmp_path)
    secret = variables.pop("SKG_SECRET_KEY")
    file = tmp_path / "secret"
    file.write_text(f"{secret}\r\n", encoding="utf-8-sig")
    assert load(variables | {"SKG_SECRET_KEY_FILE": str(file)}).secret_key == secret
