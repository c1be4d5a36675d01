"""What real projects hold: weak passwords that people choose, tokens that nobody's format knows, and what only looks like either.

Each case is a path and a text in which `«` and `»` stand around the value in question. `{32}` is filled with as many random letters
and digits, `{h40}` with hexadecimal digits, `{A20}` with capitals and digits, so that nothing here is anybody's secret.
"""

from __future__ import annotations

import re
from random import Random

SECRETS = (
    (".env", "DB_HOST=10.0.3.7\nDB_USER=shop\nDB_PASSWORD=«Sommer2019!»\n"),
    (".env.production", "APP_ENV=production\nMAIL_PASSWORD=«kr0kodil77»\n"),
    ("config/.env", "export ADMIN_PASS=«Qwertz99!»\n"),
    ("wp-config.php", "define('DB_USER', 'wp');\ndefine('DB_PASSWORD', '«bl4ckbird-42»');\n"),
    (
        "src/main/resources/application.properties",
        "spring.datasource.username=orders\nspring.datasource.password=«Tr0ub4dor&3»\n",
    ),
    ("application.yml", "spring:\n  datasource:\n    username: app\n    password: «Fr1edrich!88»\n"),
    ("docker-compose.yml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: «s3cure-Pg-2021»\n"),
    ("docker-compose.yml", "    environment:\n      - MYSQL_ROOT_PASSWORD=«hunter2hunter2»\n"),
    ("config/database.yml", "production:\n  adapter: mysql2\n  username: deploy\n  password: «Monday#12»\n"),
    ("settings.py", "DATABASES = {'default': {'USER': 'site', 'PASSWORD': '«w1nter-is-here»', 'HOST': 'db1'}}\n"),
    ("settings.py", "SECRET_KEY = '«{50}»'\n"),
    ("app/config.js", "module.exports = {\n  jwtSecret: '«{32}»',\n  port: 3000\n};\n"),
    ("src/api/client.ts", "const apiKey = '«{32}»';\n"),
    ("lib/mailer.rb", "config.smtp_settings = { user_name: 'noreply', password: '«Gr33nApple7»' }\n"),
    ("cmd/server/main.go", 'const adminPassword = "«L3mur!sland»"\n'),
    ("cmd/server/main.go", 'token := "«{h40}»"\n'),
    ("src/Db.cs", 'var cs = "Server=sql1;Database=crm;User Id=sa;Password=«P@ssw0rd2018»;";\n'),
    ("App.config", '<add name="Crm" connectionString="Server=sql1;uid=crm;pwd=«Herbst2020$»;Database=crm" />\n'),
    ("web.config", '<add key="SmtpPassword" value="«Ziegel-7731»" />\n'),
    (
        "pom-settings.xml",
        "<server>\n  <id>nexus</id>\n  <username>ci</username>\n  <password>«d3ployMe-9921»</password>\n</server>\n",
    ),
    ("scripts/backup.sh", "mysqldump -u root --password=«Backup4You!» shop > shop.sql\n"),
    ("scripts/deploy.sh", "curl -u deploy:«{20}» https://ci.internal/job/build\n"),
    ("scripts/push.sh", "git push https://bot:«{h40}»@git.internal/team/app.git\n"),
    ("worker/settings.py", "BROKER_URL = 'amqp://worker:«R4bbit-hole»@mq1:5672//'\n"),
    ("config/cable.yml", "production:\n  url: redis://:«{24}»@cache1:6379/1\n"),
    ("k8s/secret.yaml", "apiVersion: v1\nkind: Secret\nstringData:\n  password: «Kub3rn4utic»\n"),
    ("k8s/deploy.yaml", "        - name: API_TOKEN\n          value: «{40}»\n"),
    (
        "terraform/main.tf",
        'resource "aws_db_instance" "main" {\n  username = "admin"\n  password = "«Terr4form-Rocks»"\n}\n',
    ),
    ("terraform/prod.tfvars", 'db_password = "«{16}»"\n'),
    ("ansible/group_vars/all.yml", "ansible_become_pass: «Ans1ble!pw»\n"),
    ("config.json", '{"user": "svc", "clientSecret": "«{40}»"}\n'),
    ("appsettings.json", '  "Jwt": { "SigningKey": "«{64}»" }\n'),
    ("app.toml", '[smtp]\nuser = "mail"\npassword = "«n0reply.2022»"\n'),
    ("setup.sql", "CREATE USER 'report'@'%' IDENTIFIED BY '«R3port!ng»';\n"),
    ("setup.sql", "ALTER ROLE app WITH PASSWORD '«4ppUser_pw»';\n"),
    ("test.http", "Authorization: Bearer «{48}»\n"),
    ("client.py", 'headers = {"Authorization": "Basic «c2hvcDp{20}»"}\n'),
    ("client.py", 'session = login("shop", password="«Blau3rHimmel»")\n'),
    ("Main.java", 'conn = DriverManager.getConnection(url, props); props.setProperty("password", "«Or4cle_11g»");\n'),
    ("Main.kt", 'private const val API_KEY: String = "«{39}»"\n'),
    ("setup.ps1", "$pw = ConvertTo-SecureString '«Winter2023!»' -AsPlainText -Force\n"),
    ("notes.md", "The admin login of staging: user admin, password: «Giraffe!51»\n"),
    ("settings.gradle", 'storePassword "«keyst0re-99»"\n'),
    ("gradle.properties", "RELEASE_KEY_PASSWORD=«4ndroid-Release»\n"),
    (".npmrc", "//npm.internal/:_authToken=«{36}»\n"),
    (".netrc", "machine git.internal login bot password «{20}»\n"),
    ("main.tf", '  access_key = "«{A20}»"\n  secret_key = "«{40}»"\n'),
    ("redis.conf", "requirepass «r3disP4ss!»\n"),
)

FALSE_FRIENDS = (
    ("settings.py", "DB_PASSWORD = «os.environ»['DB_PASSWORD']\n"),
    ("settings.py", "SECRET_KEY = os.environ.get('«DJANGO_SECRET_KEY»')\n"),
    ("docker-compose.yml", "      POSTGRES_PASSWORD: «${POSTGRES_PASSWORD}»\n"),
    ("values.yaml", "  password: «{{{{ .Values.db.password }}}}»\n"),
    ("README.md", "export API_KEY=«<your-api-key>»\n"),
    ("README.md", 'api_key = "«YOUR_API_KEY»"\n'),
    (".env.example", "SECRET_TOKEN=«xxxxxxxxxxxxxxxx»\n"),
    ("login.html", '<input type="password" placeholder="«Enter your password»">\n'),
    ("i18n/en.json", '"password": "«Password»",\n'),
    ("i18n/de.json", '"forgotPassword": "«Passwort vergessen?»",\n'),
    ("locale/en.yml", "  reset_password: «Reset password»\n"),
    ("auth.ts", 'const tokenType = "«bearer»";\n'),
    ("auth.ts", "const token = «this.authService.getToken»();\n"),
    ("http.go", 'req.Header.Set("key", "«Content-Type»")\n'),
    ("model.rb", "validates :password, presence: «true»\n"),
    ("user.py", "user.password = «hashed_password»\n"),
    ("user.py", "def set_password(self, password: «str») -> None:\n"),
    ("Form.java", 'private static final String PASSWORD_FIELD = "«password»";\n'),
    ("Form.java", 'String tokenName = "«csrf_token»";\n'),
    ("keys.js", 'const KEY_ENTER = "«Enter»";\n'),
    ("map.go", 'm := map[string]string{{"key": "«value»"}}\n'),
    ("nginx.conf", "ssl_certificate_key «/etc/nginx/ssl/server.key»;\n"),
    ("config.yml", "private_key_path: «/run/secrets/deploy.pem»\n"),
    ("config.yml", "secretName: «web-tls-cert»\n"),
    ("k8s.yaml", "  key: «database-password»\n"),
    ("oauth.py", 'TOKEN_URL = "«https://login.example.com/oauth2/token»"\n'),
    ("main.tf", "  password = «var.db_password»\n"),
    ("main.tf", "  kms_key_id = «aws_kms_key.main.arn»\n"),
    ("package.json", '  "author": "«Jane Doe»",\n'),
    ("component.vue", '<password-field :rules="«passwordRules»" />\n'),
    ("errors.go", 'ErrBadToken = errors.New("«token is expired or not yet valid»")\n'),
    ("log.py", 'log.info("authentication failed: %s", «reason»)\n'),
    ("cli.py", 'parser.add_argument("--password", help="«the password of the database»")\n'),
    ("docs.md", "Set `password: «********»` in the configuration.\n"),
    ("schema.sql", "password «VARCHAR(255)» NOT NULL,\n"),
    ("openapi.yaml", "      apiKey:\n        type: «string»\n"),
    ("Startup.cs", 'services.AddAuthentication("«Bearer»")\n'),
    ("keyboard.css", '.key[data-key="«ArrowLeft»"]\n'),
    ("test.py", "assert response.json()['token'] == «expected_token»\n"),
    ("build.gradle", "    keyPassword «System.getenv»('KEY_PASSWORD')\n"),
)

_FILL = re.compile(r"\{\{|\}\}|\{([hA]?)(\d+)\}")
_ALPHABETS = {
    "": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "h": "0123456789abcdef",
    "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
}


def filled(text: str, random: Random) -> tuple[bytes, list[tuple[int, int]]]:
    """`text` with its random parts filled in, and where the values in question stand in it."""

    def fill(found: re.Match[str]) -> str:
        return "".join(random.choices(_ALPHABETS[found[1]], k=int(found[2]))) if found[2] else found[0][0]

    parts = re.split("[«»]", _FILL.sub(fill, text))
    data, spans = b"", []
    for number, part in enumerate(parts):
        encoded = part.encode()
        if number % 2:
            spans.append((len(data), len(data) + len(encoded)))
        data += encoded
    return data, spans
