// A service in node logs in by approle, writes, reads, sees what it may not, renews its token and revokes it. Says what it saw as JSON.
'use strict';

const fs = require('fs');
const https = require('https');
const vault = require('node-vault');

const { VAULT_ADDR, VAULT_CACERT, ROLE_ID, SECRET_ID, PASSWORD } = process.env;

async function statusOf(call) {
  try {
    await call;
    return 200;
  } catch (error) {
    return error.response ? error.response.statusCode : String(error);
  }
}

async function journey() {
  const agent = new https.Agent({ ca: fs.readFileSync(VAULT_CACERT) });
  const client = vault({ apiVersion: 'v1', endpoint: VAULT_ADDR, requestOptions: { httpsAgent: agent, ca: fs.readFileSync(VAULT_CACERT) } });
  const health = await client.health();
  const login = await client.approleLogin({ role_id: ROLE_ID, secret_id: SECRET_ID });
  client.token = login.auth.client_token;
  const written = await client.write('secret/data/team/node', { data: { password: PASSWORD }, options: { cas: 0 } });
  const read = await client.read('secret/data/team/node');
  const listed = await client.list('secret/metadata/team');
  const denied = await statusOf(client.read('secret/data/closed'));
  const missing = await statusOf(client.read('secret/data/team/nothing'));
  const conflict = await statusOf(client.write('secret/data/team/node', { data: {}, options: { cas: 0 } }));
  const self = await client.tokenLookupSelf();
  const renewed = await client.tokenRenewSelf({ increment: '20m' });
  await client.tokenRevokeSelf();
  const revoked = await statusOf(client.tokenLookupSelf());
  return {
    sealed: health.sealed,
    accessor: login.auth.accessor,
    version: written.data.version,
    is_same: read.data.data.password === PASSWORD,
    keys: listed.data.keys,
    denied,
    missing,
    conflict,
    path: self.data.path,
    renewed: renewed.auth.lease_duration,
    revoked,
  };
}

journey().then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
