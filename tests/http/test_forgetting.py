from __future__ import annotations

from tests.http.conftest import Serve, Served, get, read_answer

from strongroom.http.conversation import Conversation
from strongroom.http.forgetting import SILENCE_SECONDS, Forgetting


def kept(served: Served) -> list[bool]:
    """Of each connection, whether it keeps what its client sends with every request."""
    conversations = served.listener._shared.conversations
    return [one._parser._framing is not None for one in conversations if isinstance(one, Conversation)]


def watched(served: Served) -> int:
    forgetting: Forgetting = served.listener._shared.forgetting
    return len(forgetting._keeping)


def test_who_falls_silent_is_forgotten_and_may_go_on_all_the_same(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    for _ in range(2):
        client.sendall(get("/v1/a"))
        assert read_answer(client)[0] == 200
        assert kept(served) == [True]
        served.pass_time(SILENCE_SECONDS)
        served.pass_time(SILENCE_SECONDS)
        assert kept(served) == [False]
        assert watched(served) == 0


def test_who_goes_on_is_not_forgotten(serve: Serve) -> None:
    served = serve()
    client, silent = served.connect(), served.connect()
    for one in (silent, client):
        one.sendall(get("/v1/a"))
        assert read_answer(one)[0] == 200
    for _ in range(6):
        served.pass_time(SILENCE_SECONDS / 2)
        client.sendall(get("/v1/b"))
        assert read_answer(client)[0] == 200
    assert sorted(kept(served)) == [False, True]
    assert watched(served) == 1


def test_who_is_in_the_middle_of_a_request_is_not_silent(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    client.sendall(get("/v1/a") + get("/v1/b")[:-1])
    assert read_answer(client)[0] == 200
    served.pass_time(SILENCE_SECONDS * 3)
    assert kept(served) == [True]
    client.sendall(get("/v1/b")[-1:])
    assert read_answer(client)[0] == 200


def test_a_connection_that_is_closed_is_let_go(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    client.sendall(get("/v1/a"))
    assert read_answer(client)[0] == 200
    client.close()
    served.pass_time(SILENCE_SECONDS)
    served.pass_time(SILENCE_SECONDS)
    assert watched(served) == 0
