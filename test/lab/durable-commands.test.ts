import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { unitName } from '../../src/hosts/durable/names.js';
import { DurableLab } from './durable-lab.js';
import { eventually } from './lab-hosts.js';

let lab: DurableLab;

beforeAll(async () => {
  lab = await DurableLab.up('durable');
});
afterEach(() => lab.closeWorkers());
afterAll(() => lab?.lab.down());

describe('a command', () => {
  test('gives its output line by line, its exit code and its last lines', async () => {
    const lines: string[] = [];
    const durable = lab.command('echo out; echo err >&2; echo --token abcdef.0123456789abcdef; exit 7', {
      onOutput: (line) => lines.push(line),
    });
    const result = await lab.worker().runDurable(durable);
    expect(result).toMatchObject({ exitCode: 7, result: 'exit-code', reattached: false });
    expect(lines).toEqual(['out', 'err', '--token [redacted]']);
    expect(result.output).toBe('out\nerr\n--token [redacted]\n');
    expect(await lab.unitState(durable)).toBe('inactive');
  });

  test('runs strictly: an error in the middle ends it', async () => {
    expect(await lab.worker().runDurable(lab.command('false\necho not reached'))).toMatchObject({
      exitCode: 1,
      output: '',
    });
    expect(await lab.worker().runDurable(lab.command('echo $unset'))).toMatchObject({ exitCode: 1 });
    expect(await lab.worker().runDurable(lab.command('false | true'))).toMatchObject({ exitCode: 1 });
  });

  test('prints 3 MB: every line is seen, the result keeps the last 8 KiB', async () => {
    let lines = 0;
    const durable = lab.command('seq 1 400000', { onOutput: () => lines++ });
    const result = await lab.worker().runDurable(durable);
    expect(lines).toBe(400_000);
    expect(result.output).toMatch(/^\d+\n[\s\S]*\n400000\n$/);
    expect(result.output.length).toBeLessThanOrEqual(8192);
  });

  test('that has printed 3 MB before anybody looks is seen whole by whoever began it', async () => {
    // Comes back only when the unit has ended, as systemd-run does on a machine that is busy elsewhere.
    await lab.on(
      `printf '#!/bin/sh\n/usr/bin/systemd-run --wait "$@"\n' >/usr/local/bin/systemd-run; chmod +x /usr/local/bin/systemd-run`,
    );
    try {
      let lines = 0;
      await lab.worker().runDurable(lab.command('seq 1 400000', { onOutput: () => lines++ }));
      expect(lines).toBe(400_000);
    } finally {
      await lab.on('rm /usr/local/bin/systemd-run');
    }
  });

  test('keeps its records from other users', async () => {
    const durable = lab.command('true');
    await lab.worker().runDurable(durable);
    const loose = `find /var/lib/kubewright/units -perm /077 ! -type l | head`;
    expect(await lab.on(loose)).toBe('');
  });

  test('keeps the last five runs on the host, whatever their results', async () => {
    const durable = lab.command('exit $(wc -l <$mark)');
    const results = [];
    for (let run = 0; run < 7; run++) results.push((await lab.worker().runDurable(durable)).exitCode);
    expect(results).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await lab.on(`ls /var/lib/kubewright/units/${unitName(durable.id)}/runs | wc -l`)).toBe('5');
  });
});

describe('a client that is killed', () => {
  test('leaves the command running; the next one follows it to its end, and it ran once', async () => {
    const durable = lab.command('for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done');
    await lab.startAndKillClient(durable);
    expect(await lab.unitState(durable)).toBe('active');
    const result = await lab.worker().runDurable(durable);
    expect(result).toMatchObject({ exitCode: 0, reattached: true, output: expect.stringContaining('line 1\n') });
    expect(result.output).toMatch(/line 6\n$/);
    expect(await lab.timesBegun(durable)).toBe(1);
  });

  test('misses a failure: it is delivered once, and the next attempt begins anew', async () => {
    const durable = lab.command('pause; exit $(( $(wc -l <$mark) + 10 ))');
    await lab.startAndKillClient(durable);
    await lab.letGo(durable);
    await lab.ended(durable);
    expect(await lab.worker().runDurable(durable)).toMatchObject({ exitCode: 11, reattached: true });
    expect(await lab.worker().runDurable(durable)).toMatchObject({ exitCode: 12, reattached: false });
  });

  test('misses a failure: it answers no attempt of another day', async () => {
    const old = lab.command('pause; exit $(( $(wc -l <$mark) + 10 ))', { attempt: 'run-1/1' });
    await lab.startAndKillClient(old);
    await lab.letGo(old);
    await lab.ended(old);
    const today = await lab.worker().runDurable({ ...old, attempt: 'run-2/1' });
    expect(today).toMatchObject({ exitCode: 12, reattached: false });
  });

  test('misses a success: whoever comes next finds it, and it ran once; other work begins anew', async () => {
    const old = lab.command('pause; echo done', { attempt: 'run-1/1' });
    await lab.startAndKillClient(old);
    await lab.letGo(old);
    await lab.ended(old);
    const next = await lab.worker().runDurable({ ...old, attempt: 'run-2/1' });
    expect(next).toMatchObject({ exitCode: 0, output: 'done\n', reattached: true });
    expect(await lab.timesBegun(old)).toBe(1);

    const other = lab.command('pause');
    await lab.startAndKillClient(other);
    await lab.letGo(other);
    await lab.ended(other);
    expect(await lab.worker().runDurable({ ...other, script: 'exit 4' })).toMatchObject({
      exitCode: 4,
      reattached: false,
    });
  });

  test('and a successor with other input: the running command is followed, never a second one begun', async () => {
    const durable = lab.command('echo running; pause; exit 5');
    await lab.startAndKillClient(durable);
    const lines: string[] = [];
    const other = { script: `echo second >>${durable.mark}`, onOutput: (line: string) => lines.push(line) };
    const changed = lab.worker().runDurable({ ...durable, ...other });
    await eventually(async () => lines.length > 0, 'the successor follows');
    await lab.letGo(durable);
    expect(await changed).toMatchObject({ exitCode: 5, reattached: true });
    expect(await lab.timesBegun(durable)).toBe(1);
  });
});

test('two workers that start at once: one unit, both get its result', async () => {
  const durable = lab.command('sleep 1; echo done', { secrets: async () => ({ token: 'x' }) });
  const results = await Promise.all([lab.worker(), lab.worker(), lab.worker()].map((each) => each.runDurable(durable)));
  expect(results.map(({ exitCode, output }) => [exitCode, output])).toEqual(Array(3).fill([0, 'done\n']));
  expect(results.filter(({ reattached }) => !reattached)).toHaveLength(1);
  expect(await lab.timesBegun(durable)).toBe(1);
});

describe('the host goes down', () => {
  test('power loss: transient, then KW426 once, then the command can begin again', async () => {
    const durable = lab.command('[ $(wc -l <$mark) -gt 1 ] || sleep 60');
    const host = lab.worker();
    const running = host.runDurable(durable).catch((error: unknown) => error);
    await lab.begun(durable);
    await lab.machine.powerOff();
    expect(await running).toMatchObject({ code: expect.stringMatching(/^KW20[123]$/), transient: true, host: 'cp-1' });
    await lab.machine.powerOn();
    await expect(host.runDurable(durable)).rejects.toMatchObject({ code: 'KW426', transient: true });
    expect(await host.runDurable(durable)).toMatchObject({ exitCode: 0, reattached: false });
  });

  test('an orderly reboot: what systemd ended on its way down is no result', async () => {
    const durable = lab.command('[ $(wc -l <$mark) -gt 1 ] || sleep 60');
    const host = lab.worker();
    const running = host.runDurable(durable).catch((error: unknown) => error);
    await lab.begun(durable);
    await lab.machine.reboot();
    expect(await running).toMatchObject({ transient: true });
    const after = await host.runDurable(durable).catch((error: unknown) => error);
    // Told on the way down, or found afterwards: in either case once.
    if (((await running) as { code: string }).code === 'KW426') expect(after).toMatchObject({ exitCode: 0 });
    else expect(after).toMatchObject({ code: 'KW426', transient: true });
  });

  test('a result from before the reboot that nobody got is still delivered', async () => {
    const durable = lab.command('pause; exit 3');
    await lab.startAndKillClient(durable);
    await lab.letGo(durable);
    await lab.ended(durable);
    await lab.machine.reboot();
    expect(await lab.worker().runDurable(durable)).toMatchObject({ exitCode: 3, reattached: true });
  });
});

describe('the connection', () => {
  test('ended by the host: the output goes on behind the last byte, nothing twice, nothing missing', async () => {
    const lines: string[] = [];
    const durable = lab.command('for i in $(seq 30); do echo line $i; sleep 0.1; done', {
      onOutput: (line) => lines.push(line),
    });
    const host = lab.worker();
    const running = host.runDurable(durable);
    await eventually(async () => lines.length > 3, 'output');
    // Whatever serves this login: the client sees its connection closed.
    await lab.on(`pkill -KILL -f '^sshd: root@notty'`);
    expect(await running).toMatchObject({ exitCode: 0, reattached: false });
    expect(lines).toEqual(Array.from({ length: 30 }, (_, index) => `line ${index + 1}`));
    expect(await lab.timesBegun(durable)).toBe(1);
  });

  test('cut without a word: noticed by silence, and followed again when the network is back', async () => {
    const durable = lab.command('pause; echo survived');
    const host = lab.worker();
    const running = host.runDurable(durable).catch((error: unknown) => error);
    await lab.begun(durable);
    await lab.machine.cut();
    try {
      expect(await running).toMatchObject({ code: expect.stringMatching(/^KW20[23]$/), transient: true });
    } finally {
      await lab.machine.heal();
    }
    await lab.letGo(durable);
    expect(await host.runDurable(durable)).toMatchObject({ exitCode: 0, reattached: true, output: 'survived\n' });
    expect(await lab.timesBegun(durable)).toBe(1);
  });

  test('given up by an abort: the reason itself comes back, and the unit goes on', async () => {
    const durable = lab.command('pause; echo survived');
    const controller = new AbortController();
    const running = lab.worker().runDurable({ ...durable, signal: controller.signal });
    await lab.begun(durable);
    const reason = new Error('cancelled by Temporal');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await lab.unitState(durable)).toBe('active');
    await lab.letGo(durable);
    expect(await lab.worker().runDurable(durable)).toMatchObject({ exitCode: 0, reattached: true });
    // Followers end with their clients: none stays behind on the host.
    await lab.closeWorkers();
    await eventually(async () => (await lab.on(`pgrep -f '[b]ash --norc -c' || true`)) === '', 'followers end');
  });
});
