import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { serve, useServers, where } from './served.js';
import { type OnExec, runLocally } from './ssh-server.js';

useServers();

describe('a command', () => {
  test('gives back its output, both streams and its exit code', async () => {
    const host = where.host((await serve()).port);
    const result = await host.run('printf out; printf err >&2; exit 3', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out', stderr: 'err' });
  });

  test('fails as KW410 with the last lines, redacted', async () => {
    const host = where.host((await serve()).port);
    await expect(host.run('echo using --token abcdef.0123456789abcdef >&2; exit 7')).rejects.toMatchObject({
      code: 'KW410',
      host: 'cp-1',
      exitCode: 7,
      transient: false,
      output: 'using --token [redacted]',
    });
  });

  test('keeps script and input out of the command line', async () => {
    const commands: string[] = [];
    const onExec: OnExec = (command, ...rest) => {
      commands.push(command);
      runLocally()(command, ...rest);
    };
    const host = where.host((await serve({ onExec })).port);
    const { stdout } = await host.run('echo canary-script; cat', { input: 'canary-input' });
    expect(stdout).toBe('canary-script\ncanary-input');
    expect(commands.join()).not.toContain('canary');
  });

  test('has nothing but its input on standard input', async () => {
    const host = where.host((await serve()).port);
    expect((await host.run('cat\necho end')).stdout).toBe('end\n');
    const binary = Buffer.from([0, 1, 2, 255, 10, 0]);
    expect((await host.run('od -An -tx1', { input: binary })).stdout.trim()).toBe('00 01 02 ff 0a 00');
  });

  test('survives any bytes in the script: quotes, umlauts, here-documents, no newline at the end', async () => {
    const host = where.host((await serve()).port);
    const script = `cat <<'E'\nit's "ä" \\ $HOME \`x\` !\nE\nprintf %s "$((1+1))"`;
    expect((await host.run(script)).stdout).toBe('it\'s "ä" \\ $HOME `x` !\n2');
  });

  test('delivers 5 MB whole', async () => {
    const host = where.host((await serve()).port);
    const { stdout } = await host.run('head -c 5000000 /dev/zero | tr "\\0" x');
    expect(stdout.length).toBe(5_000_000);
  });

  test('ends as 128 + n when a signal ended it', async () => {
    const host = where.host((await serve()).port);
    const result = await host.run('echo alive; kill -KILL $$', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 137, stdout: 'alive\n' });
  });

  test.each([254, 255])('that ends with %i has ended with it, and nothing is added to its words', async (code) => {
    const host = where.host((await serve()).port);
    const result = await host.run(`printf out; printf err >&2; exit ${code}`, { allowFailure: true });
    expect(result).toMatchObject({ exitCode: code, stdout: 'out', stderr: 'err' });
  });

  test('takes the time for the login out of its own', async () => {
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      await expect(where.host(port).run('true', { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'KW411',
        transient: true,
        message: expect.stringContaining('was not even started'),
      });
    } finally {
      silent.close();
    }
  });

  test('times out as KW411, transient', async () => {
    const host = where.host((await serve()).port);
    await expect(host.run('exec sleep 5', { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'KW411',
      transient: true,
    });
  });
});

describe('an abort', () => {
  const reason = new Error('cancelled by Temporal');

  test('rejects with the reason itself while a command runs', async () => {
    const host = where.host((await serve()).port);
    const controller = new AbortController();
    const running = host.run('echo started; sleep 5', { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
  });

  test('rejects with the reason itself before anything was dialled', async () => {
    const server = await serve();
    await expect(where.host(server.port).run('true', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.accepted).toBe(0);
  });

  test('does not wait for a place in the queue', async () => {
    const host = where.host((await serve()).port);
    const busy = Array.from({ length: 8 }, () => host.run('sleep 0.5'));
    const controller = new AbortController();
    const queued = host.run('echo never-ran >&2', { signal: controller.signal });
    controller.abort(reason);
    const first = await Promise.race([queued.catch((error: unknown) => error), ...busy]);
    expect(first).toBe(reason);
    await Promise.all(busy);
  });

  test('of one caller leaves the others alone', async () => {
    const host = where.host((await serve()).port);
    const controller = new AbortController();
    const aborted = host.run('sleep 5', { signal: controller.signal });
    const other = host.run('sleep 0.1; echo alive');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect((await other).stdout).toBe('alive\n');
  });
});
