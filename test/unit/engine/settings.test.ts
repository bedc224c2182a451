import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, resolveSettings } from '../../../src/engine/settings.js';

let directory: string;
let toml: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-settings-'));
  toml = join(directory, 'temporal.toml');
  await writeFile(join(directory, 'client.pem'), 'CERT');
  await writeFile(join(directory, 'client.key'), 'KEY');
  await writeFile(
    toml,
    '[profile.default]\naddress = "file.example:7233"\nnamespace = "from-file"\n[profile.site]\naddress = "site.example:443"\napi_key = "k"\n',
  );
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** An environment in which no file of this machine's user is found. */
const env = (more: Record<string, string> = {}) => ({ HOME: directory, ...more });

describe('how Temporal is reached', () => {
  it('is the embedded server where nothing names one', () => {
    expect(resolveSettings({ env: env() })).toBeUndefined();
    expect(resolveSettings({ env: env({ TEMPORAL_NAMESPACE: 'x' }) })).toBeUndefined();
  });

  it('is said by options before the environment before the profile', () => {
    const file = { TEMPORAL_CONFIG_FILE: toml };
    expect(resolveSettings({ env: env(file) })).toMatchObject({ address: 'file.example:7233', namespace: 'from-file' });
    const both = env({ ...file, TEMPORAL_ADDRESS: 'env.example:7233' });
    expect(resolveSettings({ env: both })).toMatchObject({ address: 'env.example:7233', namespace: 'from-file' });
    expect(resolveSettings({ env: both, address: 'option.example', namespace: 'n' })).toMatchObject({
      address: 'option.example:7233',
      namespace: 'n',
    });
  });

  it('says who named the server', () => {
    const source = (options: Parameters<typeof resolveSettings>[0]) => resolveSettings(options)?.source;
    expect(source({ env: env({ TEMPORAL_ADDRESS: 'a:1' }), address: 'b:2' })).toBe('from --address');
    expect(source({ env: env({ TEMPORAL_ADDRESS: 'a:1' }) })).toBe('from TEMPORAL_ADDRESS');
    expect(source({ env: env({ TEMPORAL_CONFIG_FILE: toml }) })).toBe(`from ${toml} profile default`);
    expect(source({ env: env({ TEMPORAL_PROFILE: 'site' }), configFile: toml })).toBe(`from ${toml} profile site`);
  });

  it('is the embedded server where that is asked for, whatever else names one', () => {
    const everything = env({ TEMPORAL_ADDRESS: 'a:1', TEMPORAL_CONFIG_FILE: toml });
    expect(resolveSettings({ env: everything, embeddedOnly: true })).toBeUndefined();
    expect(resolveSettings({ env: { ...everything, KUBEWRIGHT_EMBEDDED: '1' } })).toBeUndefined();
    expect(resolveSettings({ env: { ...everything, KUBEWRIGHT_EMBEDDED: '1' }, address: 'b:2' })?.address).toBe('b:2');
    expect(() => resolveSettings({ env: everything, embeddedOnly: true, address: 'b:2' })).toThrow(
      expect.objectContaining({ code: 'KW504' }),
    );
  });

  it('takes a profile by name, and TLS with an API key', () => {
    const settings = resolveSettings({ env: env(), configFile: toml, profile: 'site' });
    expect(settings).toMatchObject({ address: 'site.example:443', namespace: 'default', apiKey: 'k', tls: true });
    expect(() => resolveSettings({ env: env(), configFile: toml, profile: 'nowhere' })).toThrow(
      expect.objectContaining({ code: 'KW504', message: expect.stringContaining('nowhere') }),
    );
  });

  it('reads certificates from files, and says which one cannot be read', () => {
    const tls = {
      certFile: join(directory, 'client.pem'),
      keyFile: join(directory, 'client.key'),
      serverName: 'temporal',
    };
    const settings = resolveSettings({ env: env(), address: 'a.example:7233', tls });
    expect(settings?.tls).toMatchObject({ serverNameOverride: 'temporal', clientCertPair: { crt: expect.anything() } });
    const missing = { ...tls, keyFile: join(directory, 'nowhere.key') };
    expect(() => resolveSettings({ env: env(), address: 'a.example:7233', tls: missing })).toThrow(
      expect.objectContaining({ code: 'KW504', message: expect.stringContaining('nowhere.key') }),
    );
    const half = { certFile: tls.certFile };
    expect(() => resolveSettings({ env: env(), address: 'a.example:7233', tls: half })).toThrow(
      expect.objectContaining({ code: 'KW504', message: expect.stringMatching(/certificate without its key/) }),
    );
  });

  it('is told to a worker as it was told to the client', () => {
    const options = { address: 'a.example:1', namespace: 'n', apiKey: 'k', tls: { serverName: 's' }, profile: 'p' };
    expect(environmentOf(options)).toEqual({
      TEMPORAL_ADDRESS: 'a.example:1',
      TEMPORAL_NAMESPACE: 'n',
      TEMPORAL_API_KEY: 'k',
      TEMPORAL_TLS_SERVER_NAME: 's',
      TEMPORAL_PROFILE: 'p',
    });
  });
});
