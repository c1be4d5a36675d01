"""Rules for analytics."""

from __future__ import annotations

from strongroom.scanner.rule import Rule, Severity
from strongroom.scanner.rules.plausible import drawn_at_random
from strongroom.scanner.rules.shapes import assigned, token

RULES = (
    Rule(
        id="posthog-personal-api-key",
        title="PostHog personal API key",
        provider="PostHog",
        keywords=("phx_",),
        pattern=token("phx_[0-9A-Za-z]{43,48}"),
        entropy=3.8,
        revoke="PostHog, Settings, Personal API keys: delete it, and make a new one.",
        finds=("POSTHOG_KEY=phx_{base62:47}", 'send("phx_{base62:47}")'),
        ignores=("phx_{base62:15}", "zzphx_{base62:47}"),
    ),
    Rule(
        id="posthog-project-api-key",
        title="PostHog project API key",
        provider="PostHog",
        severity=Severity.INFO,
        keywords=("phc_",),
        pattern=token("phc_[0-9A-Za-z]{43}"),
        entropy=3.8,
        revoke="PostHog, Project settings: it is public; reset it if it is misused.",
        finds=("POSTHOG_KEY=phc_{base62:43}", 'send("phc_{base62:43}")'),
        ignores=("phc_{base62:14}", "zzphc_{base62:43}"),
    ),
    Rule(
        id="wakatime-api-key",
        title="WakaTime API key",
        provider="WakaTime",
        severity=Severity.LOW,
        keywords=("waka_",),
        pattern=token("waka_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        entropy=3.0,
        revoke="WakaTime, Settings, Account: generate a new key.",
        finds=("WAKATIME_KEY=waka_{uuid}", 'send("waka_{uuid}")'),
        ignores=("waka_{hex:4}", "zzwaka_{uuid}"),
    ),
    Rule(
        id="amplitude-secret-key",
        title="Amplitude API or secret key",
        provider="Amplitude",
        severity=Severity.LOW,
        keywords=("amplitude",),
        pattern=assigned(r"amplitude[\w.-]{0,16}(?:key|secret)", "[0-9a-f]{32}"),
        entropy=3.0,
        plausible=drawn_at_random,
        revoke="Amplitude, Settings, Projects: delete it, and make a new one.",
        finds=("AMPLITUDE_SECRET_KEY={hex:32}", "amplitude_api_key: '{hex:32}'"),
        ignores=("AMPLITUDE_SECRET_KEY={hex:10}", "{hex:32}"),
    ),
    Rule(
        id="mixpanel-secret",
        title="Mixpanel token or API secret",
        provider="Mixpanel",
        severity=Severity.LOW,
        keywords=("mixpanel",),
        pattern=assigned(r"mixpanel[\w.-]{0,16}(?:token|secret|key)", "[0-9a-f]{32}"),
        entropy=3.0,
        plausible=drawn_at_random,
        revoke="Mixpanel, Project settings: delete it, and make a new one.",
        finds=("MIXPANEL_API_SECRET={hex:32}", "mixpanel_token: '{hex:32}'"),
        ignores=("MIXPANEL_API_SECRET={hex:10}", "{hex:32}"),
    ),
    Rule(
        id="segment-write-key",
        title="Segment write key",
        provider="Twilio",
        severity=Severity.LOW,
        keywords=("segment",),
        pattern=assigned(r"segment[\w.-]{0,16}key", "[0-9A-Za-z]{32}"),
        entropy=3.5,
        plausible=drawn_at_random,
        revoke="Segment, the source's Settings, API keys: delete it, and make a new one.",
        finds=("SEGMENT_WRITE_KEY={base62:32}", "segment_key: '{base62:32}'"),
        ignores=("SEGMENT_WRITE_KEY={base62:10}", "{base62:32}"),
    ),
)
