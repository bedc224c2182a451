import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DurableHost } from '../../../src/hosts/durable/durable.js';
import { unitName } from '../../../src/hosts/durable/names.js';
import { TOOL_PATH } from '../../../src/hosts/shell.js';

/** As much of systemd as durable commands use: units that run, and end with what ExecStopPost is told. */
const SYSTEMD_RUN = `
while [[ $1 == --* ]]; do
  case $1 in
    --unit=*) unit=\${1#--unit=} ;;
    --property=ExecStopPost=*) after=\${1#--property=ExecStopPost=} ;;
  esac
  shift
done
[ ! -e "$ROOT/state/$unit" ] || { echo "Unit $unit.service was already loaded" >&2; exit 1; }
echo active >"$ROOT/state/$unit"
export after unit ROOT
setsid bash -c '
  "$@" &
  echo $! >"$ROOT/state/$unit.pid"
  wait $!
  code=$?
  export SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=$code
  [ $code = 0 ] || SERVICE_RESULT=exit-code
  [ $code -le 128 ] || SERVICE_RESULT=signal EXIT_CODE=killed EXIT_STATUS=$(kill -l $code)
  [ -e "$ROOT/no-end" ] || $after
  rm -f "$ROOT/state/$unit" "$ROOT/state/$unit.pid"
' run "$@" </dev/null >/dev/null 2>&1 3>&- 6>&- 7>&- 8>&- &
`;

/** \`deaf\` and \`forgetful\` hold how many more questions go unanswered, or are answered as if nothing ran. */
const SYSTEMCTL = `
unit=\${!#} unit=\${unit%.service}
less() { local left; read -r left <"$ROOT/$1" 2>/dev/null && [ "$left" -gt 0 ] && echo $((left - 1)) >"$ROOT/$1"; }
case $1 in
  show)
    if less deaf; then echo 'Failed to get properties: Connection reset by peer' >&2; exit 1; fi
    if less forgetful; then echo inactive; exit 0; fi
    cat "$ROOT/state/$unit" 2>/dev/null || echo inactive ;;
  stop)
    [ ! -e "$ROOT/disobedient" ] || exit 1
    kill -TERM "$(cat "$ROOT/state/$unit.pid")"
    while [ -e "$ROOT/state/$unit" ]; do sleep 0.02; done ;;
  is-system-running) echo running ;;
esac
`;

/** A host in a directory: the scripts that a real one is given run here in a real bash, with this systemd. */
export class FakeSystemd {
  readonly #followers = new Set<ChildProcess>();
  #scripts = 0;

  private constructor(readonly root: string) {}

  static async create(): Promise<FakeSystemd> {
    const host = new FakeSystemd(await mkdtemp(join(tmpdir(), 'kubewright-durable-')));
    await Promise.all(['bin', 'state', 'scripts'].map((name) => mkdir(join(host.root, name))));
    await host.#program('systemd-run', SYSTEMD_RUN);
    await host.#program('systemctl', SYSTEMCTL);
    return host;
  }

  async #program(name: string, body: string): Promise<void> {
    const path = join(this.root, 'bin', name);
    await writeFile(path, `#!/bin/bash\nROOT=${this.root}\n${body}`);
    await chmod(path, 0o755);
  }

  /** Lets the next so many questions be answered wrongly, or not at all. */
  answer(how: 'deaf' | 'forgetful', times: number): Promise<void> {
    return writeFile(join(this.root, how), `${times}\n`);
  }

  path(path: string): string {
    return join(this.root, path);
  }

  runDirectory(id: string): string {
    return this.path(`var/lib/kubewright/units/${unitName(id)}/current`);
  }

  secretsDirectory(id: string): string {
    return this.path(`run/kubewright/${unitName(id)}`);
  }

  text(path: string): Promise<string> {
    return readFile(this.path(path), 'utf8').catch(() => '');
  }

  /** Whoever follows a command loses its connection: the script on the host ends, nobody hears of it. */
  async breakConnections(): Promise<void> {
    const gone = [...this.#followers].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const { pid } of this.#followers) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await Promise.all(gone);
  }

  /** A script as it runs here: with this host's directories and programs. */
  localised(script: string): string {
    return script
      .replaceAll(TOOL_PATH, `${this.root}/bin:${TOOL_PATH}`)
      .replaceAll('/var/lib/kubewright', `${this.root}/var/lib/kubewright`)
      .replaceAll('/run/kubewright', `${this.root}/run/kubewright`);
  }

  async spawn(script: string): Promise<ChildProcess> {
    this.#scripts += 1;
    const file = join(this.root, 'scripts', String(this.#scripts));
    await writeFile(file, this.localised(script));
    // A group of its own, so that nothing of it outlives its connection here.
    const child = spawn('bash', ['--norc', file], {
      detached: true,
      env: { PATH: `${this.root}/bin:${process.env.PATH}`, LC_ALL: 'C' },
    });
    this.#followers.add(child);
    child.once('close', () => this.#followers.delete(child));
    child.stdin.on('error', () => undefined);
    return child;
  }

  readonly durable: DurableHost = {
    name: 'cp-1',
    start: async (script, handlers) => {
      const child = await this.spawn(script);
      child.stdout?.on('data', handlers.onStdout);
      child.stderr?.on('data', handlers.onStderr);
      const exit = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)));
      return {
        exit,
        write: (data) => void child.stdin?.write(data),
        close: () => void child.stdin?.end(),
      };
    },
    run: async (script) => {
      const child = await this.spawn(script);
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      child.stdin?.end();
      await new Promise((resolve) => child.once('close', resolve));
      return text;
    },
  };

  async remove(): Promise<void> {
    await this.breakConnections();
    await rm(this.root, { recursive: true, force: true, maxRetries: 10 });
  }
}
