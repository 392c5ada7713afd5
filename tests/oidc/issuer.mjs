// An OpenID provider that nobody here wrote, with what the tests of sign-in need around it: people who sign in at once under the name that they hint
// at, a clinic's system with a secret, and a second listener by which a test makes the keys change, sees how often they were asked for, and takes the
// issuer away.
//
//     node issuer.mjs [FOLDER]    prints {"issuer": …, "control": …} and runs until its input ends; speaks TLS with key.pem and cert.pem of the folder

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import Provider from 'oidc-provider';

const REDIRECT = 'https://lomake.example/kirjautunut';
const AUDIENCE = 'lahete-api';
const HOME = 'urn:lahete';

// Its clock stands still as the server's does: a busy machine must not decide a test.
const now = Math.floor(Date.now() / 1000) * 1000;
Date.now = () => now;

let counts = { discovery: 0, keys: 0 };
let down = false;
let keys = [newKey()];
let cache = 'max-age=3600';
let provider;
let issuer;

function newKey() {
  // Written as JWK as it is made: to export it afterwards stands still for ever now and then, in Node.js 20 (one in some ten thousand, and at any
  // moment in a garbage collection).
  const jwk = { format: 'jwk' };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: jwk, publicKeyEncoding: jwk });
  return { ...privateKey, kid: randomUUID(), use: 'sig', alg: 'ES256' };
}

function build() {
  provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ['only for tests'] },
    clients: [
      {
        client_id: 'lomake', client_secret: 'lomakkeen-salaisuus', redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'], response_types: ['code'], id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: 'klinikka', client_secret: 'klinikan-salaisuus', redirect_uris: [], response_types: [],
        grant_types: ['client_credentials'], id_token_signed_response_alg: 'ES256',
      },
    ],
    // A hint of a name with a slash brings the identity code behind it along, as a strong identification would.
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: (ctx, token) => {
      const code = people.get(token.accountId);
      return code ? { 'urn:oid:1.2.246.21': code, acr: 'urn:suomi.fi:strong' } : undefined;
    },
    clientBasedCORS: () => false,
    pkce: { required: () => false },
    ttl: { AccessToken: 600, ClientCredentials: 600, Interaction: 600, Session: 600, Grant: 600, IdToken: 600 },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => HOME,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'api', audience: AUDIENCE, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid');
      grant.addResourceScope(HOME, 'api');
      await grant.save();
      return grant;
    },
  });
}

const people = new Map();

const folder = process.argv[2];

async function serve(request, response) {
  if (down) {
    request.socket.destroy();
    return;
  }
  if (request.url.startsWith('/.well-known/')) counts.discovery += 1;
  if (request.url === '/jwks') {
    counts.keys += 1;
    response.setHeader('cache-control', cache);
  }
  if (request.url.startsWith('/interaction/')) {
    const { params } = await provider.interactionDetails(request, response);
    const [name, code] = params.login_hint.split('/');
    if (code) people.set(name, code);
    await provider.interactionFinished(request, response, { login: { accountId: name } }, { mergeWithLastSubmission: false });
    return;
  }
  provider.callback()(request, response);
}

const server = folder
  ? createTlsServer({ key: readFileSync(`${folder}/key.pem`), cert: readFileSync(`${folder}/cert.pem`) }, serve)
  : createServer(serve);

const control = createServer((request, response) => {
  const [, word, value] = request.url.split('/');
  switch (word) {
    case 'counts':
      break;
    case 'rotate':
      // The new key signs from now on; the ones before it are published for as long as tokens of theirs live.
      keys = [newKey(), ...keys];
      build();
      break;
    case 'replace':
      // An emergency: only the new key is left.
      keys = [newKey()];
      build();
      break;
    case 'cache':
      cache = decodeURIComponent(value);
      break;
    case 'down':
      down = true;
      break;
    case 'up':
      down = false;
      break;
    default:
      response.statusCode = 404;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(counts));
});

server.listen(0, '127.0.0.1', () => {
  issuer = `http${folder ? 's' : ''}://127.0.0.1:${server.address().port}`;
  build();
  control.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ issuer, now: now / 1000, control: `http://127.0.0.1:${control.address().port}` }));
  });
});

// When the test program ends, however it ends, so does its issuer.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
