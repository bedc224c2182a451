import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { unitName } from '../../src/hosts/durable/names.js';
import type { DurableCommand } from '../../src/hosts/index.js';
import { DurableLab, type MarkedCommand } from './durable-lab.js';
import { eventually } from './lab-hosts.js';

let lab: DurableLab;

beforeAll(async () => {
  lab = await DurableLab.up('endings');
});
afterEach(() => lab.closeWorkers());
afterAll(() => lab?.lab.down());

/** Everything that Kubewright keeps in memory on the host, but for the lock. */
const secretsLeft = (): Promise<string> => lab.on('find /run/kubewright -mindepth 1 ! -name host.lock');
const currentRun = ({ id }: MarkedCommand): string => `/var/lib/kubewright/units/${unitName(id)}/current`;

describe('a command', () => {
  const worker = () => lab.worker();
  const withSecret: Partial<DurableCommand> = { secrets: async () => ({ token: 'canary-of-secrets' }) };

  test('that succeeds, and one that fails', async () => {
    expect(await worker().runDurable(lab.command('echo fine'))).toMatchObject({
      exitCode: 0,
      result: 'success',
      output: 'fine\n',
    });
    expect(await worker().runDurable(lab.command('echo bad; exit 9'))).toMatchObject({
      exitCode: 9,
      result: 'exit-code',
      output: 'bad\n',
    });
  });

  test('that is killed is no success', async () => {
    const command = lab.command('echo here; kill -KILL $PPID; sleep 60', withSecret);
    // $PPID is `timeout`; its death is what the unit's main process sees.
    const result = await worker().runDurable(command);
    expect(result.exitCode).toBe(137);
    expect(result.result).not.toBe('success');
    expect(await secretsLeft()).toBe('');
  });

  test('that takes too long ends as a timeout, with everything it started', async () => {
    const command = lab.command('sleep 4321 & echo waiting; wait', { timeoutSeconds: 1, ...withSecret });
    const result = await worker().runDurable(command);
    expect(result).toMatchObject({ exitCode: 124, result: 'timeout' });
    expect(result.output).toMatch(/^waiting\n.*limit\n$/);
    await eventually(async () => (await lab.on(`pgrep -f '[s]leep 4321' || true`)) === '', 'its processes end');
    expect(await secretsLeft()).toBe('');
  });

  test('that is stopped: whoever follows it hears of it, and nobody else ever', async () => {
    const command = lab.command('[ $(wc -l <$mark) -gt 1 ] || sleep 4322', withSecret);
    const running = worker().runDurable(command);
    await lab.begun(command);
    expect(await worker().stopDurable(command.id)).toBe(true);
    expect(await running).toMatchObject({ exitCode: 143, result: 'signal' });
    expect(await lab.on(`pgrep -f '[s]leep 4322' || true`)).toBe('');
    expect(await secretsLeft()).toBe('');
    expect(await worker().stopDurable(command.id)).toBe(false);
    expect(await worker().runDurable(command)).toMatchObject({ exitCode: 0, reattached: false });
  });

  test('that is stopped while nobody follows it: its end answers no later attempt', async () => {
    const command = lab.command('[ $(wc -l <$mark) -gt 1 ] || sleep 60');
    const controller = new AbortController();
    const running = worker().runDurable({ ...command, signal: controller.signal });
    await lab.begun(command);
    controller.abort(new Error('let go'));
    await expect(running).rejects.toThrow('let go');
    expect(await worker().stopDurable(command.id)).toBe(true);
    expect(await worker().runDurable(command)).toMatchObject({ exitCode: 0, reattached: false });
  });

  test('is followed by a second worker, never begun twice', async () => {
    const command = lab.command('sleep 1; echo once');
    const results = await Promise.all([worker(), worker()].map((each) => each.runDurable(command)));
    expect(results.map(({ output }) => output)).toEqual(['once\n', 'once\n']);
    expect(await lab.timesBegun(command)).toBe(1);
  });

  test('that leaves no result and no process is lost: KW425 once, then it can begin again', async () => {
    const command = lab.command('sleep 1');
    const controller = new AbortController();
    const running = worker().runDurable({ ...command, signal: controller.signal });
    await lab.begun(command);
    controller.abort(new Error('let go'));
    await running.catch(() => undefined);
    const end = `${currentRun(command)}/end`;
    await eventually(async () => (await lab.on(`ls ${end} 2>/dev/null || true`)) === end, 'the end record');
    // What a full disk or a crash of systemd leaves behind: a start, and no end.
    await lab.on(`rm ${end}`);
    await eventually(async () => (await lab.on(`pgrep -f '/[m]ain.sh' || true`)) === '', 'its processes end');
    await expect(worker().runDurable(command)).rejects.toMatchObject({ code: 'KW425', transient: true, host: 'cp-1' });
    expect(await worker().runDurable(command)).toMatchObject({ exitCode: 0, reattached: false });
  });

  test('waits for the host’s one lock and says who holds it', async () => {
    const order = '/root/order';
    const first = lab.command(`echo first begins >>${order}; pause; sleep 2; echo first ends >>${order}`);
    const lines: string[] = [];
    const second = lab.command(`echo second begins >>${order}`, {
      timeoutSeconds: 1,
      onOutput: (line) => lines.push(line),
    });
    const running = worker().runDurable(first);
    await lab.begun(first);
    const waiting = worker().runDurable(second);
    await eventually(async () => lines.length > 0, 'the second command waits');
    await lab.letGo(first);
    // Waiting for the lock does not count against its limit of one second.
    expect(await waiting).toMatchObject({ exitCode: 0, result: 'success' });
    expect(lines).toEqual([`waiting for the host's lock held by ${unitName(first.id)}`]);
    await running;
    expect(await lab.on(`cat ${order}`)).toBe('first begins\nfirst ends\nsecond begins');
  });

  test('does not pass the lock on to a daemon that it starts', async () => {
    const daemon = lab.command('setsid bash -c "exec sleep 20" </dev/null >/dev/null 2>&1 &');
    await worker().runDurable(daemon);
    expect(await worker().runDurable(lab.command('echo free'))).toMatchObject({ output: 'free\n' });
  });

  test('has ended as it ended, also where a daemon that it started does not go', async () => {
    const daemon = (code: number) =>
      lab.command(`setsid bash -c "trap '' TERM; sleep 60" </dev/null >/dev/null 2>&1 & sleep 0.3; exit ${code}`);
    expect(await worker().runDurable(daemon(0))).toMatchObject({ exitCode: 0, result: 'success' });
    expect(await worker().runDurable(daemon(3))).toMatchObject({ exitCode: 3, result: 'exit-code' });
  });
});

describe('secrets', () => {
  test('are 0600 in a 0700 directory in memory, and gone with the command', async () => {
    const script =
      'stat -c "%a %U %n" $KUBEWRIGHT_SECRETS $KUBEWRIGHT_SECRETS/*; df --output=fstype $KUBEWRIGHT_SECRETS | tail -1; wc -c <$KUBEWRIGHT_SECRETS/key';
    const key = Buffer.from([0, 255, 10, 0, 13, 10]);
    const command = lab.command(script, { secrets: async () => ({ 'a.token': 'canary-token', key }) });
    const directory = `/run/kubewright/${unitName(command.id)}`;
    const result = await lab.worker().runDurable(command);
    expect(result.output).toBe(
      `700 root ${directory}\n600 root ${directory}/a.token\n600 root ${directory}/key\ntmpfs\n6\n`,
    );
    expect(await secretsLeft()).toBe('');
  });

  test('are nowhere else: no file, no command line, no environment, no journal', async () => {
    const canary = 'canary-0123456789-nowhere';
    const command = lab.command('pause; cat $KUBEWRIGHT_SECRETS/token', { secrets: async () => ({ token: canary }) });
    const running = lab.worker().runDurable(command);
    await lab.begun(command);
    // The pattern does not match itself, for the searching shell's own command line holds it.
    const pattern = canary.replace('canary', '[c]anary');
    const files = await lab.on(`grep -rlsa '${pattern}' /var /etc /root /tmp /home /dev/shm || true`);
    const processes = await lab.on(`grep -lsa '${pattern}' /proc/[0-9]*/cmdline /proc/[0-9]*/environ || true`);
    expect([files, processes]).toEqual(['', '']);
    expect(await lab.on(`grep -rlsa '${pattern}' /run/kubewright | wc -l`)).toBe('1');
    await lab.letGo(command);
    // A command that prints its secret has it redacted for everybody who follows.
    expect((await running).output).toBe('[redacted]\n');
    expect(await lab.on(`journalctl --no-pager 2>/dev/null | grep -c '${pattern}' || true`)).toBe('0');
  });

  test('are not minted where a command runs already', async () => {
    const command = lab.command('echo running; pause');
    const running = lab.worker().runDurable(command);
    await lab.begun(command);
    let minted = 0;
    const secrets = async () => {
      minted += 1;
      return { token: 'x' };
    };
    const lines: string[] = [];
    const followed = lab.worker().runDurable({ ...command, secrets, onOutput: (line) => lines.push(line) });
    await eventually(async () => lines.length > 0, 'the second worker follows');
    await lab.letGo(command);
    expect(await followed).toMatchObject({ exitCode: 0, reattached: true });
    expect(minted).toBe(0);
    await running;
  });

  test('that cannot be minted start nothing; the error comes back as it is', async () => {
    const reason = new Error('no token to be had');
    const command = lab.command('true', { secrets: () => Promise.reject(reason) });
    await expect(lab.worker().runDurable(command)).rejects.toBe(reason);
    expect(await lab.timesBegun(command)).toBe(0);
  });
});

describe('from outside', () => {
  test('systemctl stop is no success', async () => {
    const command = lab.command('sleep 60', { secrets: async () => ({ token: 'x' }) });
    const running = lab.worker().runDurable(command);
    await lab.begun(command);
    await lab.on(`systemctl stop ${unitName(command.id)}`);
    expect(await running).toMatchObject({ exitCode: 143, result: 'signal' });
    expect(await secretsLeft()).toBe('');
  });

  test('systemctl kill -s KILL is no success', async () => {
    const command = lab.command('sleep 60', { secrets: async () => ({ token: 'x' }) });
    const running = lab.worker().runDurable(command);
    await lab.begun(command);
    await lab.on(`systemctl kill -s KILL ${unitName(command.id)}`);
    expect(await running).toMatchObject({ exitCode: 137, result: 'signal' });
    expect(await secretsLeft()).toBe('');
  });

  test('a step’s commands are stopped by the beginning of their ids, others are not', async () => {
    const of = (id: string) => ({ ...lab.command('sleep 30'), id });
    // The lock lets one of them work at a time; the others wait for it, and are stopped as well.
    const [one, two, other] = [
      of("cluster/it's:cp-1/join:a"),
      of("cluster/it's:cp-1/join:b"),
      of("cluster/it's:cp-1/joint:a"),
    ];
    const running = [one, two, other].map((each) => lab.worker().runDurable(each));
    for (const each of [one, two, other]) {
      await eventually(async () => (await lab.unitState(each)) === 'active', 'the unit runs');
    }
    expect(await lab.worker().stopDurables("cluster/it's:cp-1/join:")).toBe(2);
    expect((await Promise.all(running.slice(0, 2))).map(({ result }) => result)).toEqual(['signal', 'signal']);
    expect(await lab.unitState(other)).toBe('active');
    expect(await lab.worker().stopDurables("cluster/it's:")).toBe(1);
    await running[2];
  });

  test('a disk that is full: the command is not started, and it says why', async () => {
    const command = lab.command('true', { secrets: async () => ({ token: 'x' }) });
    await lab.machine.fillDisk();
    try {
      await expect(lab.worker().runDurable(command)).rejects.toMatchObject({
        code: 'KW427',
        transient: false,
        hint: expect.stringContaining('free space'),
      });
    } finally {
      await lab.machine.freeDisk();
    }
    expect(await secretsLeft()).toBe('');
    expect(await lab.worker().runDurable(command)).toMatchObject({ exitCode: 0 });
  });
});
