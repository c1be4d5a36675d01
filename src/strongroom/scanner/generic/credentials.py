"""Secrets where a protocol, a program or a language has a place for them: URLs, headers, command lines, SQL, prose."""

from __future__ import annotations

from strongroom.scanner.generic.candidates import generic

CREDENTIAL_RULES = (
    generic(
        "url-password",
        "The password in a URL",
        r"://(?P<name>[^\s:/@\"'`<>\\]{0,80}):(?P<secret>[^\s@/\"'`<>\\|]{2,150})@",
        ("://",),
        (
            ("postgres://app:{base62:12}@db1:5432/app", "redis://:{base62:12}@cache:6379"),
            ("https://host.internal:8443/path", "mailto:someone@host"),
        ),
    ),
    generic(
        "dsn-password",
        "The password in a data source name of Go",
        r"[\"'`= ](?P<name>[\w.\-]{1,64}):(?P<secret>[^\s@/\"'`<>\\|:]{3,150})@(?:tcp|unix|cloudsql)\(",
        ("@tcp(", "@unix(", "@cloudsql("),
        (
            ('dsn := "app:{base62:12}@tcp(10.0.0.7:3306)/shop"', "DSN=root:{base62:9}@unix(/run/mysqld.sock)/app"),
            ('"app@tcp(10.0.0.7:3306)/shop"', '"{base62:12}@host"'),
        ),
    ),
    generic(
        "authorization-value",
        "The value of an Authorization header",
        r"(?P<name>(?i:\bbasic|\bbearer|\bntlm|\btoken|\bdigest|\bapikey))[ +](?:Token[= ])?[\"'`]?(?P<secret>(?:[A-Za-z_\-]{0,40}[0-9=+/.]|[a-z]{1,20}[A-Z]|[A-Z][a-z]{0,10}[A-Z])[A-Za-z0-9_\-+/.~]{5,}={0,2})(?:[^A-Za-z0-9_\-+/.~=]|\z)",
        ("basic", "bearer", "ntlm", "token", "digest", "apikey"),
        (("Authorization: Bearer {base62:40}1", '"Basic {basic:14}"'), ("Basic authentication", "a bearer token")),
        reach=3100,
    ),
    generic(
        "command-line-password",
        "A secret on a command line",
        r"[\s'\"`(\[](?:--?|/)(?P<name>[\w\-]{0,30}(?i:pass|pwd|passwd|password|secret|token|key|passphrase|credential)(?:s|in|out)?)(?:[ \t]{1,4}|:)[\"'`]?(?:pass:)?(?P<secret>[^\s\"'`<>|;(){}$%\-][^\s\"'`<>|;(){}]{2,})(?:[\s\"'`|;)<]|\z)",
        ("pass", "pwd", "secret", "token", "key", "credential"),
        (
            ("mysqldump --password {base62:12} shop", "tool -Password {base62:12}", "openssl -passin pass:{base62:9}1"),
            ("tool --password $PASSWORD", "tool --user somebody"),
        ),
    ),
    generic(
        "spaced-password",
        "A secret one space after its name",
        r"(?P<name>(?i:pass|pwd|passwd|password|secret|token|passphrase))[ \t]{1,8}(?:[0578][ \t])?[\"'`]?"
        r"(?P<secret>[A-Za-z\-_]{0,30}[0-9@#^&!?+~][^\s\"'`<>|;(){}\[\],]{2,}|[A-Za-z\-_]{5,30}[0-9@#^&!?+~]{1,2})(?:[\s\"'`|;)<,]|\z)",
        ("pass", "pwd", "secret", "token"),
        (
            ("login bot password 1{base62:12}", "requirepass 7{base62:12}", "admin / password `{lower:8}1`"),
            ("the password has expired", "password policy"),
        ),
    ),
    generic(
        "command-line-user",
        "A user and password on a command line",
        r"(?:\s|[\"'])(?P<name>-u|--user|--proxy-user|--auth|-U|--creds)(?:[ \t=]{0,3})[\"']?[\w.@\\\-%+]{1,60}[:%](?P<secret>[^\s\"'`<>@/$:{}][^\s\"'`<>@/]{2,80})(?:[\s\"'`]|\z)",
        ("-u", "--user", "--proxy-user", "--auth", "--creds"),
        (
            ("curl -u deploy:{base62:12} https://ci", 'curl --user "admin:{base62:9}" x'),
            ("curl -u $USER:$PASSWORD x", "curl -u deploy x"),
        ),
    ),
    generic(
        "command-line-short-password",
        "A password for a database client or remote shell",
        r"(?P<name>\b(?:mysql|mysqldump|mysqladmin|sshpass|mariadb|docker login|psql|mongo|redis-cli|ldapsearch)\b)[^\r\n|;\"'`]{0,80}? -[pwa] ?[\"']?(?P<secret>[^\s\"'`<>|;(){}$%\-][^\s\"'`<>|;(){}]{2,80})(?:[\s\"'`|;)]|\z)",
        ("mysql", "sshpass", "mariadb", "docker login", "psql", "mongo", "redis-cli", "ldapsearch"),
        (
            ("mysql -u root -p{base62:12} shop", "sshpass -p {base62:12} ssh host"),
            ("mysql -u root -p$PASSWORD shop", "mysql -u root shop"),
        ),
    ),
    generic(
        "sql-password",
        "A password in a statement of SQL",
        r"(?i:(?P<name>identified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?(?:by|as)|(?:password|secret)\s{1,3}|password\s{0,3}\()\s{0,4}E?(?:\\?[\"']){1,4}(?P<secret>[^\"'\\\r\n]{2,120})[\"'\\])",
        ("identified", "password", "secret"),
        (
            ("CREATE USER x IDENTIFIED BY '{base62:12}'", "ALTER ROLE x WITH PASSWORD '{base62:12}';"),
            ("IDENTIFIED BY ?", "password = ''"),
        ),
    ),
    generic(
        "sql-bare-password",
        "A password without quotes in a statement of SQL",
        r"(?i:(?P<name>identified\s{1,4}by))\s{1,4}(?P<secret>[^\s\"'`<>|;(){}$%\\\-][^\s\"'`<>|;(){}\\]{2,})(?:[\s\"'`|;)]|\z)",
        ("identified",),
        (
            ("create user x identified by {base62:9} default tablespace users", "IDENTIFIED BY {base62:9};"),
            ("identified by $1", "identified with a key"),
        ),
    ),
    generic(
        "secure-string",
        "A password made into a secure string of PowerShell",
        r"(?i:(?P<name>ConvertTo-SecureString))\s{1,4}(?:-\w{1,20}\s{1,4}){0,3}[\"'](?P<secret>[^\"'\r\n]{2,120})[\"']",
        ("convertto-securestring",),
        (
            (
                "ConvertTo-SecureString '{base62:12}' -AsPlainText",
                'ConvertTo-SecureString -String "{base62:12}" -Force',
            ),
            ("ConvertTo-SecureString $password", "ConvertTo-SecureString"),
        ),
    ),
    generic(
        "password-in-prose",
        "A password that a sentence tells",
        r"(?P<name>(?i:password|passwd|passphrase|secret|token|key|pin))s?[\"'`*]{0,3} (?:is|was|be|to|as)[ \t]{1,3}(?:set to )?[\"'`*]{0,3}(?P<secret>[A-Za-z\-_]{0,30}[0-9@#^&!?+~][^\s\"'`<>(){}\[\],;|&\\]{2,100})(?:[\s\"'`,;*)]|\z)",
        ("password", "passwd", "passphrase", "secret", "token", "key", "pin"),
        (
            ("the password is 1{base62:9}", "its token was 7{base62:20}."),
            ("the password is wrong", "the key is to wait"),
        ),
    ),
)
