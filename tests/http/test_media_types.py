"""What a PATCH without a media type is told: clients know the text, and fall back to another way of writing."""

from __future__ import annotations

import pytest

from strongroom.http.codec import decode_request
from strongroom.http.message import HttpRequest
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import Connection


@pytest.mark.parametrize("headers", [{}, {"content-type": ""}])
def test_a_patch_without_a_type_is_answered_as_vault_does(headers: dict[str, str]) -> None:
    patch = HttpRequest("PATCH", "/v1/a", headers, b"{}", Connection())
    with pytest.raises(InvalidRequest, match=r"^mime: no media type$"):
        decode_request(patch, request_id="the-id")
