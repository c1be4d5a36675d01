"""Templates, kept up to date: rendered at the start, and again whenever something that they use has changed.

One thread owns all of it: the secrets, the templates and what is written. A template that cannot be rendered leaves what it
rendered last where it is, is told of once, and is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from strongroom.agent.answers import Answers, CannotFetch, Key
from strongroom.agent.config_delivery import template_of
from strongroom.agent.config_values import Source
from strongroom.agent.consumers import Reporter
from strongroom.agent.context import Context
from strongroom.agent.goals import Goals
from strongroom.agent.journal import Told, failure_text
from strongroom.agent.targets import PART, Target
from strongroom.agent.template.errors import TemplateError
from strongroom.agent.token_source import same_token
from strongroom.agent.worker import Worker
from strongroom.client.errors import ClientError
from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.private_file import CannotWrite
from strongroom.delivery.schedule import Schedule

GOAL = "templates"
_RETRY_SECONDS = 1.0


class Rendering:
    """One template with its target. ``used`` are the secrets that it took last time; ``due`` when to render it anew."""

    def __init__(self, context: Context, source: Source, target: Target, wait: tuple[int, int] = (0, 0)) -> None:
        self.name = target.name
        self.used: frozenset[Key] = frozenset()
        self.due: float | None = 0.0
        self.is_delivered = False
        self.failures = 0
        self.is_reported = False
        self._latest = 0.0
        self._wait = wait
        self._target = target
        self._clock = context.clock
        self._schedule = Schedule(_RETRY_SECONDS, context.entropy)
        self._told = Told(context.journal, PART)
        self._template = template_of(source)

    def changed(self, keys: set[Key]) -> None:
        """Some secrets are others now."""
        if not self.used & keys:
            return
        now = self._clock.monotonic()
        least, most = self._wait
        if self.due is None:
            self._latest = now + most
        self.due = min(now + least, self._latest) if self.is_delivered else now

    def perform(self, answers: Answers) -> None:
        """Render and deliver, if that is due."""
        if self.due is None or self.due > self._clock.monotonic():
            return
        answers.asked = set()
        try:
            content = self._template.render(answers)
            self._target.deliver(content)
        except (TemplateError, CannotFetch, CannotWrite, CannotDeliver, ClientError, UnicodeError) as error:
            self.failures += 1
            self._schedule.failed()
            self.due = self._clock.monotonic() + self._schedule.next_wait()
            # An error about an encoding quotes what it could not encode.
            text = "its text cannot be encoded" if isinstance(error, UnicodeError) else failure_text(error)
            self._told.failed(f"{self.name} stays as it is: {text}")
        else:
            self.due, self.failures = None, 0
            self._schedule.answered()
            self._told.works()
            self.is_delivered = True
        finally:
            # What a failed attempt has used may be what it waits for.
            self.used = frozenset(answers.asked)


class Renderings:
    """The part that renders. ``step`` is for its own thread, and for tests; ``delivered`` is called once all have a content."""

    def __init__(
        self,
        context: Context,
        renderings: Sequence[Rendering],
        goals: Goals,
        delivered: Callable[[], None] | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self._context = context
        self._renderings = renderings
        self._goals = goals
        self._delivered = delivered
        self._reporter = reporter
        self._told: dict[Key, Told] = {}
        self._answers = Answers(context, context.config.rules, self._tell)
        self._token: str | None = None
        self._must_look = False
        self._worker = Worker("templates", self.step, context.clock, self._broke, context.ending.patience)
        context.tokens.on_change(self._worker.wake)

    def start(self) -> None:
        """See Part."""
        self._worker.start()

    def stop(self) -> None:
        """See Part."""
        self._worker.stop()
        self._answers.close()

    def look_now(self) -> None:
        """Ask for everything again. From any thread."""
        self._must_look = True
        self._worker.wake()

    def step(self) -> float | None:
        """Do what is due; seconds until something will be, None while nobody is logged in."""
        token = self._context.tokens.current()
        if token is None:
            return None
        if not same_token(token, self._token):
            self._token = token
            self._answers.use(token)
            self._retry_now()
        if self._must_look:
            self._must_look = False
            self._answers.expire()
        changed = self._answers.refresh()
        for rendering in self._renderings:
            if self._worker.is_stopping:
                return None
            rendering.changed(changed)
            rendering.perform(self._answers)
            self._report(rendering)
        self._answers.keep_only(key for rendering in self._renderings for key in rendering.used)
        self._conclude()
        return self._next()

    def _report(self, rendering: Rendering) -> None:
        """Tell which versions the rendering's text is made of, where that text is what its user has."""
        is_current = rendering.is_delivered and rendering.due is None
        program = self._context.config.program
        # A program that is not started again goes on with what it was given first.
        is_kept = rendering.is_reported and program is not None and not program.restart_on_changes
        if self._reporter is not None and is_current and not is_kept:
            self._reporter.runs(rendering.name, self._answers.running(rendering.used))
            rendering.is_reported = True

    def _conclude(self) -> None:
        if all(rendering.is_delivered for rendering in self._renderings):
            if self._delivered is not None:
                self._delivered()
            self._goals.reached(GOAL)
        rules, retries = self._context.config.rules, self._context.config.vault.num_retries
        if rules.exit_on_retry_failure and any(item.failures > retries for item in self._renderings):
            self._context.journal.error(PART, "a template cannot be rendered, and exit_on_retry_failure says to end")
            self._context.ending.ask(1)

    def _next(self) -> float | None:
        due = [rendering.due for rendering in self._renderings if rendering.due is not None]
        answers_due = self._answers.next_due()
        if answers_due is not None:
            due.append(answers_due)
        return max(0.0, min(due) - self._context.clock.monotonic()) if due else None

    def _retry_now(self) -> None:
        """What failed with another token may work with this one."""
        for rendering in self._renderings:
            if rendering.due is not None:
                rendering.due = 0.0

    def _tell(self, key: Key, error: Exception | None) -> None:
        if error is None:
            self._told.pop(key, None)
            self._context.journal.info(PART, f"{key} can be read again")
            return
        told = self._told.setdefault(key, Told(self._context.journal, PART))
        told.failed(f"{key} is kept as it was read last: {failure_text(error)}")

    def _broke(self, name: str, error: Exception) -> None:
        self._context.journal.error(PART, f"{name} has ended by a fault of ours: {type(error).__name__}")
        self._context.ending.ask(1)
