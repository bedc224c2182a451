import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { respondentOf } from '../../../bench/scale/fake-hosts/answers.js';
import { makeFakeBundle } from '../../../bench/scale/fake-hosts/bundle.js';
import { FakeCluster } from '../../../bench/scale/fake-hosts/cluster.js';
import { FakeHost } from '../../../bench/scale/fake-hosts/host.js';
import { Input } from '../../../bench/scale/fake-hosts/input.js';
import { fill } from '../../../bench/scale/fake-hosts/jsonpath.js';
import { answerAll } from '../../../bench/scale/fake-hosts/questions.js';
import { play, UNKNOWN } from '../../../bench/scale/fake-hosts/scripts.js';
import { wordsOf } from '../../../bench/scale/fake-hosts/shell-words.js';
import { uploadOf } from '../../../src/activities/bundle-upload.js';
import { gatherFacts } from '../../../src/activities/remote-facts.js';
import { file, readBundle, verifyBundle } from '../../../src/bundle/bundle.js';
import { type UploadHost, upload } from '../../../src/hosts/files/upload.js';
import { quote } from '../../../src/hosts/shell.js';
import type { RemoteHost } from '../../../src/hosts/types.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });

function fakeHost(): FakeHost {
  const fakes = new FakeCluster(cluster, 0);
  const [first] = cluster.hosts;
  if (first === undefined) throw new Error('the fixture has hosts');
  return new FakeHost(fakes, first, 0);
}

/** Plays a script on a fake host as its SSH server does. */
async function played(host: FakeHost, text: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const spoken = { stdout: '', stderr: '' };
  const script = { text, given: Buffer.alloc(0), input: Input.of(Buffer.alloc(0)) };
  const code = await play(host, script, {
    out: (said) => {
      spoken.stdout += said;
    },
    err: (said) => {
      spoken.stderr += said;
    },
  });
  return { code, ...spoken };
}

/** A remote host that runs scripts on a fake one. */
function remote(host: FakeHost): RemoteHost {
  const run = async (script: string) => {
    const { code, ...spoken } = await played(host, script);
    return { exitCode: code, ...spoken, durationMs: 0 };
  };
  return { name: host.name, address: host.address, run } as unknown as RemoteHost;
}

/** A fake host as uploads see it. */
function uploads(host: FakeHost): UploadHost {
  return {
    name: host.name,
    collect: () => Promise.reject(new Error('nothing asks only')),
    start: async (text, { onStdout, onStderr }) => {
      const channel = new PassThrough();
      const speaker = {
        out: (said: string) => onStdout(Buffer.from(said)),
        err: (said: string) => onStderr(Buffer.from(said)),
      };
      return { channel, exit: play(host, { text, given: undefined, input: new Input(channel) }, speaker) };
    },
  };
}

const signal = new AbortController().signal;

describe('a fake host', () => {
  it('answers questions about files and services by their commands, whatever the questions are called', async () => {
    const host = fakeHost();
    host.files.set('/etc/new', 'its content\n');
    host.active.add('new');
    const script = `fact one cat /etc/new
ask two exists /etc/other /etc/n*
ask three content /etc/missing
fact four systemctl is-active new.service &
[ ! -e /etc/missing ] || fact five cat /etc/missing`;
    const facts = await gatherFacts(remote(host), script, signal);
    expect(facts.text('one')).toBe('its content');
    expect(facts.answer('two', '')).toEqual({ is: 'yes', value: '' });
    expect(facts.answer('three', 'no').is).toBe('no');
    expect(facts.text('four')).toBe('active');
    expect(facts.answer('five', '')).toEqual({ is: 'unknown', why: 'it was not asked' });
  });

  it.each([
    ['a question with an unknown command', 'fact new reboot --now', 'a question that is not known: reboot --now'],
    ['a line that is no question', 'rm -rf /', 'a line that is no question: rm -rf /'],
    ['a condition', 'if [ -w / ]; then\nfact a cat /etc/fstab\nfi', 'a condition that is not known: [ -w / ]'],
  ])('fails loudly at %s, and notes the script', async (_, script, why) => {
    const host = fakeHost();
    const whole = `set +e +u\nfact() {\n  local kw_name\n}\n${script}\n`;
    expect(() => answerAll(whole, respondentOf(host))).toThrow(why);
    const { code, stderr } = await played(host, whole);
    expect({ code, stderr }).toEqual({ code: UNKNOWN, stderr: expect.stringContaining(why) });
    expect(host.cluster.unknown).toEqual([expect.stringContaining(script)]);
  });

  it('asks one side of a condition', () => {
    const host = fakeHost();
    const sides = (port: number): string =>
      `if (: <>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; then\nfact open true\nelse\nfact closed true\nfi`;
    const asked = (port: number): string[] =>
      [
        ...answerAll(`set +e +u\nfact() {\n  local kw_name\n}\n${sides(port)}\n`, respondentOf(host)).matchAll(
          /^fact (\w+) 0/gm,
        ),
      ].map(([, name = '']) => name);
    expect(asked(2379)).toEqual(['closed']);
  });

  it('takes what lies in the fake bundle, packed or not, once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-fake-bundle-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await makeFakeBundle(directory, '1.34.3');
    const bundle = await readBundle(directory);
    await verifyBundle(bundle);
    const kubelet = uploadOf(file(bundle, 'bin/kubelet'), '/opt/kubelet');
    const manifest = uploadOf(file(bundle, 'manifests/kube-flannel.yml'), '/opt/kube-flannel.yml');
    const host = fakeHost();
    expect(kubelet.packed?.size).toBeGreaterThan(0);
    expect(await upload(uploads(host), [kubelet, manifest])).toBe((kubelet.packed?.size ?? 0) + manifest.size);
    const sums = [kubelet, manifest].map(({ target }) => host.uploads.get(target)?.sha256);
    expect(sums).toEqual([kubelet.sha256, manifest.sha256]);
    expect(await upload(uploads(host), [kubelet, manifest])).toBe(0);
    const other = { ...kubelet, target: '/opt/other', sha256: manifest.sha256 };
    await expect(upload(uploads(host), [other])).rejects.toMatchObject({ code: 'KW251' });
  });

  it('fails loudly at a script that is none of those it knows', async () => {
    const host = fakeHost();
    const { code, stdout } = await played(host, 'shutdown -h now\n');
    expect({ code, stdout }).toEqual({ code: UNKNOWN, stdout: '' });
    expect(host.cluster.unknown).toEqual([expect.stringContaining('shutdown -h now')]);
  });
});

it('words are read as a shell reads them', () => {
  const words = ["it's", 'two words', 'a\nline', '{.metadata.name}{"\\n"}', 'plain'];
  expect(wordsOf(`${words.map(quote).join(' ')}\nnext line`)).toEqual(words);
});

it('templates are filled in as kubectl does', () => {
  const object = {
    items: [
      {
        metadata: { name: 'a', labels: { 'x.y/z': '1' } },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
      { metadata: { name: 'b' }, status: { conditions: [{ type: 'Other', status: 'False' }] } },
    ],
  };
  const template =
    '{range .items[*]}{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Ready")].status} {.metadata.labels} {.metadata.labels.x\\.y/z}{"\\n"}{end}';
  expect(fill(template, object)).toBe('a\tTrue {"x.y/z":"1"} 1\nb\t  \n');
});
