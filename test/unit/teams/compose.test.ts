import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTES } from '../../../src/workflows/engine/search-attributes.js';

/**
 * docker-compose.yml against the schema of the Compose Specification as compose-go 2.16.2 has it (compose-spec.json here is
 * that module's schema/compose-spec.json, formatted), and against what a team must be able to rely on. That the programs
 * behind it work with what it gives them is asked in test/lab/teams.test.ts.
 */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string) => readFile(join(ROOT, file), 'utf8');

interface Service {
  image?: string;
  build?: string;
  environment: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  ports?: string[];
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number };
  restart: string;
}

interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, object>;
}

const compose = parse(await read('docker-compose.yml'), { merge: true }) as ComposeFile;
const services = Object.entries(compose.services);
const longRunning = services.filter(([, { restart }]) => restart !== 'no');
const once = services.filter(([, { restart }]) => restart === 'no');

const schema = JSON.parse(await readFile(new URL('compose-spec.json', import.meta.url), 'utf8')) as object;
const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};

describe('docker-compose.yml', () => {
  it('is what the Compose Specification allows', () => {
    expect(isValid(compose), JSON.stringify(isValid.errors)).toBe(true);
  });

  it.each([
    ['a misspelt key', { helthcheck: {} }],
    ['ports that are no list', { ports: '127.0.0.1:8080:8080' }],
    ['a condition that is none', { depends_on: { postgres: { condition: 'service_ready' } } }],
  ])('would not pass with %s', (_, fault) => {
    const broken = { ...compose, services: { ...compose.services, ui: { ...service('ui'), ...fault } } };
    expect(isValid(broken)).toBe(false);
  });

  it('pins every image to a whole version', () => {
    for (const [name, { image, build }] of services) {
      if (image === undefined) expect(build, name).toBe('.');
      else expect(image, name).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?(-alpine)?$/);
    }
    expect(new Set(services.map(([name]) => name))).toEqual(
      new Set(['postgres', 'schema', 'temporal', 'namespace', 'ui', 'worker']),
    );
  });

  it('has the tools of the server’s own version, and a UI that can reset an activity', () => {
    const version = (name: string) => service(name).image?.split(':')[1] ?? '';
    expect(version('schema')).toBe(version('temporal'));
    expect(version('namespace')).toBe(version('temporal'));
    const [major = 0, minor = 0] = version('ui').split('.').map(Number);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(2047);
  });

  it('looks after the health of all that runs on, and starts it again', () => {
    expect(longRunning.map(([name]) => name).sort()).toEqual(['postgres', 'temporal', 'ui', 'worker']);
    for (const [name, { healthcheck, restart }] of longRunning) {
      expect(restart, name).toBe('unless-stopped');
      expect(healthcheck?.test[0], name).toMatch(/^CMD(-SHELL)?$/);
      expect(healthcheck, name).toMatchObject({ interval: expect.stringMatching(/s$/), retries: expect.any(Number) });
    }
  });

  it('waits for health or for an end, never for a mere start', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const ends = once.some(([other]) => other === needed);
        expect(condition, `${name} needs ${needed}`).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
      }
    }
  });

  it('publishes on loopback alone', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published.sort()).toEqual(['127.0.0.1:7233:7233', '127.0.0.1:8080:8080']);
    expect(services.filter(([, entry]) => 'network_mode' in entry)).toEqual([]);
  });

  it('keeps the database on a named volume', () => {
    const data = service('postgres').volumes?.find((volume) => volume.endsWith(':/var/lib/postgresql/data'));
    expect(Object.keys(compose.volumes)).toContain(data?.split(':')[0]);
  });

  it('holds no password, and does not start without one', async () => {
    const example = await read('.env.example');
    const asked = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect(asked.map(([, , value]) => value).join('')).toBe('');
    const secrets = services.flatMap(([name, { environment }]) =>
      Object.entries(environment)
        .filter(([key]) => /PASSWORD|PWD|SECRET|TOKEN|KEY/.test(key))
        .map(([key, value]) => [`${name} ${key}`, value] as const),
    );
    expect(secrets.map(([what]) => what).sort()).toEqual([
      'postgres POSTGRES_PASSWORD',
      'schema SQL_PASSWORD',
      'temporal POSTGRES_PWD',
      'worker KUBEWRIGHT_PAYLOAD_KEY',
      'worker KUBEWRIGHT_SUDO_PASSWORD',
    ]);
    for (const [what, value] of secrets) {
      const form = what.startsWith('worker') ? /^\$\{[A-Z_]+:-\}$/ : /^\$\{TEMPORAL_DB_PASSWORD:\?.+\}$/;
      expect(value, what).toMatch(form);
    }
    const variables = [...(await read('docker-compose.yml')).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    expect(new Set(variables)).toEqual(new Set(asked.map(([, name]) => name)));
    expect((await read('.gitignore')).split('\n')).toContain('.env');
    expect((await read('.dockerignore')).split('\n')).toContain('.env');
  });

  it('gives SSH keys to the worker alone, read-only', () => {
    const holders = services.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.includes('SSH')));
    expect(holders.map(([name]) => name)).toEqual(['worker']);
    const mount = holders[0]?.[1].volumes?.find((volume) => volume.includes('SSH'));
    expect(mount).toMatch(/:\/home\/kubewright\/\.ssh:ro$/);
  });

  it('mounts files of this repository read-only, and none that is not there', () => {
    for (const [name, { volumes = [] }] of services) {
      for (const mount of volumes.filter((volume) => volume.startsWith('./'))) {
        const [source = '', , mode] = mount.split(':');
        expect([name, existsSync(join(ROOT, source)), mode]).toEqual([name, true, 'ro']);
      }
    }
  });
});

describe('the scripts of docker-compose.yml', () => {
  it('keep histories for 90 days', async () => {
    const hours = / --retention (\d+)h/.exec(await read('deploy/compose/namespace.sh'))?.[1];
    expect(Number(hours) / 24).toBe(90);
    expect(service('namespace').environment.KUBEWRIGHT_NAMESPACE).toBe(
      service('worker').environment.TEMPORAL_NAMESPACE,
    );
  });

  it('register every search attribute that workflows write', async () => {
    const script = await read('deploy/compose/namespace.sh');
    const loop = /for name in ([^;]+); do\n {2}patiently register_attribute "\$name" Keyword\n/.exec(script)?.[1] ?? '';
    const single = [...script.matchAll(/^patiently register_attribute (\w+) (\w+)$/gm)];
    const registered = {
      ...Object.fromEntries(loop.split(' ').map((name) => [name, 'Keyword'])),
      ...Object.fromEntries(single.map(([, name, type]) => [name, type])),
    };
    expect(registered).toEqual(SEARCH_ATTRIBUTES);
  });
});

describe('the Dockerfile', () => {
  it('pins its images, runs as nobody special, and copies nothing that is not there', async () => {
    const lines = (await read('Dockerfile')).split('\n');
    const images = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    for (const image of images) expect(image).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/);
    const afterLastFrom = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
    expect(afterLastFrom).toContain('USER kubewright');
    const copied = afterLastFrom.flatMap((line) => /^COPY --from=build \S+ \/src\/(\S+) /.exec(line)?.[1] ?? []);
    // dist and node_modules are made by the stage before.
    expect(copied.filter((path) => !existsSync(join(ROOT, path)) && path !== 'dist')).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(['package.json', 'bin', 'dist', 'node_modules']));
    expect(copied).toContain(service('worker').healthcheck?.test[2]);
  });

  it('gives the worker longer to drain than it takes, and says how long that is', async () => {
    const [, limit = ''] = /shutdownForceTime: '(\d+) seconds'/.exec(await read('src/worker.ts')) ?? [];
    const [, grace = '', said = ''] =
      /stop_grace_period: (\d+)s # .* (\d+) s at most/.exec(await read('docker-compose.yml')) ?? [];
    expect(said).toBe(limit);
    expect(Number(grace)).toBeGreaterThan(Number(limit));
  });
});
