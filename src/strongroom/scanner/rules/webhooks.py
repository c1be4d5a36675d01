"""Rules for addresses that are secrets: whoever knows one can post."""

from __future__ import annotations

from strongroom.scanner.rule import Rule, Severity

RULES = (
    Rule(
        id="slack-webhook-url",
        title="Slack incoming webhook",
        provider="Slack",
        severity=Severity.MEDIUM,
        keywords=("hooks.slack.com",),
        pattern=r"\bhttps://hooks\.slack\.com/(?:services/T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/[0-9A-Za-z]{23,25}|workflows/T[0-9A-Z]{8,12}/A[0-9A-Z]{8,12}/[0-9]{16,20}/[0-9A-Za-z]{23,25}|triggers/T[0-9A-Z]{8,12}/[0-9]{10,16}/[0-9a-f]{32})\b",
        entropy=3.5,
        revoke="Slack, the app's Incoming webhooks: remove it.",
        finds=(
            "SLACK_KEY=https://hooks.slack.com/services/T{BASE36:10}/B{BASE36:10}/{base62:24}",
            'send("https://hooks.slack.com/services/T{BASE36:10}/B{BASE36:10}/{base62:24}")',
        ),
        ignores=(
            "https://hooks.slack.com/services/T{BASE36:10}/B{BASE36:10}/",
            "https://hooks.example.com/services/T{BASE36:10}/B{BASE36:10}/{base62:24}",
        ),
    ),
    Rule(
        id="discord-webhook-url",
        title="Discord webhook",
        provider="Discord",
        severity=Severity.MEDIUM,
        keywords=("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
        pattern=r"\bhttps://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[0-9A-Za-z_-]{60,72}",
        entropy=3.8,
        revoke="Discord, the channel's Integrations, Webhooks: delete it.",
        finds=(
            "DISCORD_KEY=https://discord.com/api/webhooks/{digits:18}/{base64url:68}",
            'send("https://discord.com/api/webhooks/{digits:18}/{base64url:68}")',
        ),
        ignores=(
            "https://discord.com/api/webhooks/{digits:18}/",
            "https://example.com/api/webhooks/{digits:18}/{base64url:68}",
        ),
    ),
    Rule(
        id="teams-webhook-url",
        title="Microsoft Teams webhook",
        provider="Microsoft",
        severity=Severity.MEDIUM,
        keywords=("webhook.office.com",),
        pattern=r"\bhttps://[\w-]{1,60}\.webhook\.office\.com/webhookb2/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        entropy=3.0,
        revoke="Teams, the channel's Connectors: remove the webhook.",
        finds=(
            "MICROSOFT_KEY=https://acme.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}",
            'send("https://acme.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}")',
        ),
        ignores=(
            "https://acme.webhook.office.com/webhookb2/{uuid}",
            "https://webhook.example.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}",
        ),
    ),
    Rule(
        id="google-chat-webhook-url",
        title="Google Chat webhook",
        provider="Google",
        severity=Severity.MEDIUM,
        keywords=("chat.googleapis.com",),
        pattern=r"\bhttps://chat\.googleapis\.com/v1/spaces/[0-9A-Za-z_-]{6,20}/messages\?key=AIza[0-9A-Za-z_-]{35}&token=[0-9A-Za-z_%-]{30,60}",
        entropy=3.8,
        revoke="Google Chat, the space's Apps & integrations: delete the webhook.",
        finds=(
            "GOOGLE_KEY=https://chat.googleapis.com/v1/spaces/{base62:11}/messages?key=AIza{base64url:35}&token={base64url:43}",
            'send("https://chat.googleapis.com/v1/spaces/{base62:11}/messages?key=AIza{base64url:35}&token={base64url:43}")',
        ),
        ignores=(
            "https://chat.googleapis.com/v1/spaces/{base62:11}/messages",
            "https://example.com/v1/spaces/{base62:11}/messages?token={base64url:43}",
        ),
    ),
    Rule(
        id="dingtalk-webhook-url",
        title="DingTalk robot webhook",
        provider="Alibaba",
        severity=Severity.MEDIUM,
        keywords=("oapi.dingtalk.com",),
        pattern=r"\bhttps://oapi\.dingtalk\.com/robot/send\?access_token=[0-9a-f]{64}",
        entropy=3.0,
        revoke="DingTalk, the group's robots: reset the webhook.",
        finds=(
            "ALIBABA_KEY=https://oapi.dingtalk.com/robot/send?access_token={hex:64}",
            'send("https://oapi.dingtalk.com/robot/send?access_token={hex:64}")',
        ),
        ignores=(
            "https://oapi.dingtalk.com/robot/send?access_token=",
            "https://example.com/robot/send?access_token={hex:64}",
        ),
    ),
    Rule(
        id="feishu-webhook-url",
        title="Feishu or Lark robot webhook",
        provider="ByteDance",
        severity=Severity.MEDIUM,
        keywords=("open.feishu.cn", "open.larksuite.com"),
        pattern=r"\bhttps://open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        entropy=3.0,
        revoke="Feishu, the group's bots: delete the webhook.",
        finds=(
            "BYTEDANCE_KEY=https://open.feishu.cn/open-apis/bot/v2/hook/{uuid}",
            'send("https://open.feishu.cn/open-apis/bot/v2/hook/{uuid}")',
        ),
        ignores=("https://open.feishu.cn/open-apis/bot/v2/hook/", "https://example.com/open-apis/bot/v2/hook/{uuid}"),
    ),
    Rule(
        id="wecom-webhook-url",
        title="WeCom robot webhook",
        provider="Tencent",
        severity=Severity.MEDIUM,
        keywords=("qyapi.weixin.qq.com",),
        pattern=r"\bhttps://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        entropy=3.0,
        revoke="WeCom, the group's robots: delete the webhook.",
        finds=(
            "TENCENT_KEY=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={uuid}",
            'send("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={uuid}")',
        ),
        ignores=(
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
            "https://example.com/cgi-bin/webhook/send?key={uuid}",
        ),
    ),
)
