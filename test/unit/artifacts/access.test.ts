import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { createBundle } from '../../../src/artifacts/create.js';
import { Client, loadAccess } from '../../../src/artifacts/official/client.js';
import { Credentials, variableFor } from '../../../src/artifacts/official/credentials.js';
import { download, fetchText } from '../../../src/artifacts/official/download.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { findImage } from '../../../src/artifacts/official/registry.js';
import { readBundle, verifyBundle } from '../../../src/bundle/bundle.js';
import { makeAuthority } from './certificates.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything } from './published.js';

const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const SECRET = 'tr0ub4dor';
const PAIR = `robot:${SECRET}`;
const BASIC = `Basic ${Buffer.from(PAIR).toString('base64')}`;
const PAUSE = 'registry.k8s.io/pause:3.10.1';
const REGISTRY = '/registry.k8s.io/v2/';
let folder: string;
let server: OriginServer;
let other: OriginServer;
let authority: Awaited<ReturnType<typeof makeAuthority>>;
let authorityFolder: string;

beforeAll(async () => {
  authorityFolder = await mkdtemp(join(tmpdir(), 'kubewright-authority-'));
  authority = await makeAuthority(authorityFolder);
});
afterAll(() => rm(authorityFolder, { recursive: true, force: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubewright-access-'));
  [server, other] = [new OriginServer(), new OriginServer()];
  await server.start();
  await other.start();
  await publishEverything(server, manifest);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await server.stop();
  await other.stop();
  await rm(folder, { recursive: true, force: true });
});

const hostOf = ({ url }: OriginServer) => new URL(url).host;
/** docker's config.json with these hosts. */
async function dockerConfig(auths: Record<string, unknown>, more = {}): Promise<NodeJS.ProcessEnv> {
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths, ...more }));
  return { DOCKER_CONFIG: folder };
}
const auth = { auth: Buffer.from(PAIR).toString('base64') };
const clientWith = async (env: NodeJS.ProcessEnv) => new Client(await loadAccess(undefined, env));
const find = (client: Client) =>
  findImage(PAUSE, { client, architecture: 'amd64', origins: resolveOrigins([server.url], {}), backoff: 1 });
const shown = (to: OriginServer) => to.seen.map(({ headers }) => headers.authorization);

/** Neither a message nor anything that hangs on an error may hold what must not be seen. */
async function failureOf(attempt: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  const error = await attempt.then(
    () => new Error('it succeeded'),
    (reason) => reason,
  );
  const all = inspect(error, { depth: 10, showHidden: true });
  expect(all).not.toContain(SECRET);
  expect(all).not.toContain(BASIC.slice(6));
  return error;
}

describe('credentials', () => {
  it.each([
    ["docker's config.json", (host: string) => dockerConfig({ [host]: auth })],
    ['its form with an address', (host: string) => dockerConfig({ [`https://${host}/v1/`]: auth })],
    ['its form with two fields', (host: string) => dockerConfig({ [host]: { username: 'robot', password: SECRET } })],
    ['the environment', async (host: string) => ({ [variableFor(new URL(`http://${host}`))]: PAIR })],
  ])('of %s open a mirror', async (_, envFor) => {
    server.password = PAIR;
    server.wantsCredentials = /^\/file$/;
    server.files.set('/file', Buffer.from('hello\n'));
    const env = await envFor(hostOf(server));
    expect(await fetchText(`${server.url}/file`, { client: await clientWith(env) })).toBe('hello\n');
  });

  it('of the environment stand before those of docker', async () => {
    const env = await dockerConfig({ 'mirror.example': { username: 'other', password: 'x' } });
    const credentials = await Credentials.load({ ...env, KUBEWRIGHT_AUTH_MIRROR_EXAMPLE: PAIR });
    expect(credentials.for(new URL('https://mirror.example/x'))).toEqual({ username: 'robot', password: SECRET });
    expect(credentials.for(new URL('https://mirror.example:5000/x'))).toBeUndefined();
  });

  it('get a token where the registry sends for one, and are shown to it for nothing else', async () => {
    server.password = PAIR;
    server.tokenFor = REGISTRY;
    const image = await find(await clientWith(await dockerConfig({ [hostOf(server)]: auth })));
    expect(image.digest).toBe(`sha256:${sha256(server.files.get(`${REGISTRY}pause/manifests/3.10.1`) ?? '')}`);
    expect(server.requestsFor('/token').map(({ headers }) => headers.authorization)).toEqual([BASIC]);
    const manifests = server.seen.filter(({ method, path }) => method === 'GET' && path.startsWith(REGISTRY));
    for (const { headers } of manifests) expect(headers.authorization).toMatch(/^Bearer for /);
  });

  it('are not shown to another host that a registry sends to for tokens, unless it has some of its own', async () => {
    server.tokenFor = REGISTRY;
    server.realm = other.url;
    other.password = PAIR;
    const config = { [hostOf(server)]: auth };
    const failure = await failureOf(find(await clientWith(await dockerConfig(config))));
    expect(failure).toMatchObject({
      code: 'KW737',
      message: expect.stringContaining(`${hostOf(other)} wants credentials`),
    });
    expect(failure.hint).toContain(variableFor(new URL(other.url)));
    expect(shown(other)).toEqual([undefined]);
    await find(await clientWith(await dockerConfig({ ...config, [hostOf(other)]: auth })));
    expect(shown(other)).toEqual([undefined, BASIC]);
  });

  it.each(['credentials', 'a token'])('%s: a redirect to another host takes them not along', async (what) => {
    const body = Buffer.from('a blob');
    other.files.set('/blob', body);
    server.files.set('/here', Buffer.from('-'));
    server.intervene('/here', (_, response) => {
      response.writeHead(307, { location: `${other.url}/blob` }).end();
      return true;
    });
    const client = await clientWith(what === 'credentials' ? await dockerConfig({ [hostOf(server)]: auth }) : {});
    const headers = async (): Promise<Record<string, string>> =>
      what === 'a token' ? { authorization: 'Bearer x' } : {};
    await download(`${server.url}/here`, join(folder, 'file'), sha256(body), { client, headers });
    expect(shown(server)).toEqual([what === 'a token' ? 'Bearer x' : BASIC]);
    expect(shown(other)).toEqual([undefined]);
  });

  it('that are missing or wrong are told without being told', async () => {
    server.password = 'somebody:else';
    server.wantsCredentials = /^\/file$/;
    server.files.set('/file', Buffer.from('hello\n'));
    const without = await failureOf(fetchText(`${server.url}/file`, { client: new Client() }));
    expect(without).toMatchObject({ code: 'KW737', message: expect.stringContaining('wants credentials') });
    expect(without.hint).toContain(`docker login ${hostOf(server)}`);
    const client = await clientWith(await dockerConfig({ [hostOf(server)]: auth }));
    const wrong = await failureOf(fetchText(`${server.url}/file`, { client }));
    expect(wrong).toMatchObject({ code: 'KW737', message: expect.stringContaining('refuses the credentials') });
    expect(server.requestsFor('/file')).toHaveLength(2);
  });

  it('never travel unencrypted', async () => {
    const credentials = await Credentials.load(await dockerConfig({ 'mirror.example': auth }));
    expect(() => credentials.for(new URL('http://mirror.example/x'))).toThrow(
      expect.objectContaining({ code: 'KW737' }),
    );
    expect(credentials.for(new URL('https://mirror.example/x'))).toBeDefined();
  });

  it("say that docker's credential store is not read, where that is where they are", async () => {
    const credentials = await Credentials.load(await dockerConfig({}, { credsStore: 'desktop' }));
    expect(credentials.adviceFor(new URL('https://mirror.example'))).toContain('credential store is not read');
    expect(Credentials.none().adviceFor(new URL('https://mirror.example'))).not.toContain('credential store');
  });

  it.each([
    ['is not JSON', `{"auths": {"x": {"auth": "${SECRET}"`],
    ['has an entry that is not what docker writes', JSON.stringify({ auths: { 'mirror.example': { auth: SECRET } } })],
    ['has an entry of another kind', JSON.stringify({ auths: { 'mirror.example': SECRET } })],
  ])('that cannot be read are named without their content: config.json %s', async (_, text) => {
    await writeFile(join(folder, 'config.json'), text);
    const failure = await failureOf(Credentials.load({ DOCKER_CONFIG: folder }));
    expect(failure).toMatchObject({ code: 'KW739', message: expect.stringContaining(join(folder, 'config.json')) });
  });

  it('of a variable without a name are refused without being told', async () => {
    const credentials = await Credentials.load({ KUBEWRIGHT_AUTH_MIRROR_EXAMPLE: SECRET });
    const failure = await failureOf((async () => credentials.for(new URL('https://mirror.example')))());
    expect(failure).toMatchObject({
      code: 'KW739',
      message: expect.stringContaining('KUBEWRIGHT_AUTH_MIRROR_EXAMPLE'),
    });
  });
});

describe('a mirror with a certificate authority of its own', () => {
  let secure: OriginServer;
  beforeEach(async () => {
    secure = new OriginServer(authority);
    await secure.start();
    for (const [path, bytes] of server.files) secure.files.set(path, bytes);
    for (const [path, type] of server.types) secure.types.set(path, type);
    secure.files.set('/file', Buffer.from('hello\n'));
  });
  afterEach(() => secure.stop());

  it('is not trusted unless its authority is named', async () => {
    const { caFile } = authority;
    const get = async (ca: string | undefined, env = {}) =>
      fetchText(`${secure.url}/file`, { client: new Client(await loadAccess(ca, env)), backoff: 1 });
    const failure = await failureOf(get(undefined));
    expect(failure).toMatchObject({ code: 'KW736', message: expect.stringContaining(hostOf(secure)) });
    expect(failure.hint).toContain('--ca FILE');
    expect(await get(caFile)).toBe('hello\n');
    expect(await get(undefined, { SSL_CERT_FILE: caFile })).toBe('hello\n');
  });

  it('is not trusted under another name than its certificate has', async () => {
    const client = new Client(await loadAccess(authority.caFile, {}));
    const url = secure.url.replace('localhost', '127.0.0.1');
    expect(await failureOf(fetchText(`${url}/file`, { client, backoff: 1 }))).toMatchObject({ code: 'KW736' });
  });

  it('does not lead to an address that is not encrypted', async () => {
    secure.intervene('/file', (_, response) => {
      response.writeHead(302, { location: `${server.url}/file` }).end();
      return true;
    });
    const client = new Client(await loadAccess(authority.caFile, {}));
    expect(await failureOf(fetchText(`${secure.url}/file`, { client }))).toMatchObject({ code: 'KW723' });
    expect(server.requestsFor('/file')).toEqual([]);
  });

  it.each([
    ['is not there', 'nowhere.pem', undefined],
    ['is no certificate', 'key.pem', undefined],
    ['is none, in the environment', undefined, 'key.pem'],
  ])('whose file %s is told by its path', async (_, ca, variable) => {
    const path = (name: string | undefined) => name && join(authorityFolder, name);
    const env = variable ? { SSL_CERT_FILE: path(variable) } : {};
    const failure = await failureOf(loadAccess(path(ca), env));
    expect(failure).toMatchObject({ code: 'KW739', message: expect.stringContaining(path(ca ?? variable) ?? '') });
  });

  it('and with credentials for everything serves a whole bundle to the command', async () => {
    vi.stubEnv('KUBEWRIGHT_CACHE', join(folder, 'cache'));
    vi.stubEnv('DOCKER_CONFIG', folder);
    await dockerConfig({ [hostOf(secure)]: auth });
    secure.password = PAIR;
    secure.wantsCredentials = /^\/(dl\.k8s\.io|github\.com|raw\.githubusercontent\.com)\//;
    secure.tokenFor = REGISTRY;
    let printed = '';
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        printed += text;
        return true;
      });
    }
    const output = join(folder, 'bundle');
    await createBundle({
      kubernetes: '1.34.3',
      arch: 'amd64',
      loadBalancer: false,
      mirror: [secure.url],
      ca: authority.caFile,
      output,
    });
    await verifyBundle(await readBundle(output));
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toContain(BASIC.slice(6));
    expect(await readFile(join(output, 'bundle.json'), 'utf8')).not.toContain(SECRET);
  });

  it('that wants credentials is told before anything is downloaded', async () => {
    vi.stubEnv('KUBEWRIGHT_CACHE', join(folder, 'cache'));
    secure.password = PAIR;
    secure.wantsCredentials = /^\/dl\.k8s\.io\//;
    const client = new Client(await loadAccess(authority.caFile, {}));
    const origins = resolveOrigins([secure.url], {});
    const attempt = ensureBundle({
      version: '1.34.3',
      arch: 'amd64',
      from: 'official',
      loadBalancer: false,
      origins,
      client,
    });
    expect(await failureOf(attempt)).toMatchObject({ code: 'KW737' });
  });
});
