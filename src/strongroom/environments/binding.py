"""To which environments a token is bound: pure rules. A binding is a set of names; an empty one binds to nothing in particular."""

from __future__ import annotations

from strongroom.environments.map import EnvironmentMap
from strongroom.logical.errors import InvalidRequest

Binding = tuple[str, ...]


def narrowed(*bindings: Binding) -> Binding:
    """The binding under which all of these hold. Raises InvalidRequest where no environment is left: that would bind to nothing."""
    given = [set(binding) for binding in bindings if binding]
    if not given:
        return ()
    left = set.intersection(*given)
    if not left:
        raise InvalidRequest(
            "no environment is left that the token could be bound to; its binding can only be narrowed"
        )
    return tuple(sorted(left))


def chosen(asked: Binding, allowed: Binding, environments: EnvironmentMap) -> Binding:
    """The binding of a new token that asks for ``asked`` where ``allowed`` is what it may have. Raises InvalidRequest."""
    unknown = [name for name in asked if environments.get(name) is None]
    if unknown:
        raise InvalidRequest(
            "there is no environment of a name in 'environments'; list sys/environments to see which there are"
        )
    if asked and allowed and not set(asked) <= set(allowed):
        raise InvalidRequest("the token can only be bound to environments that its parent and its role are bound to")
    return asked or allowed
