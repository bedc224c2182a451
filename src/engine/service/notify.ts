import { execa } from 'execa';

/** Well below half of the unit's WatchdogSec. */
const BEAT_MS = 30_000;

/**
 * Tells the supervisor that asks for it (systemd, by `NOTIFY_SOCKET`) that the service takes work, and from then on that its event
 * loop turns, until `signal`. By systemd's own program, for Node has no datagrams on sockets of the file system. Readiness is
 * said with each beat: systemd before 246 may miss the word of a child that has ended.
 *
 * @param beatMs time between two beats, in milliseconds
 */
export function keepTelling(env: NodeJS.ProcessEnv, signal: AbortSignal, beatMs = BEAT_MS): void {
  if (!env.NOTIFY_SOCKET) return;
  const tell = (...words: string[]): void => {
    void execa('systemd-notify', words, { env, reject: false, stdio: 'ignore' });
  };
  tell('--ready');
  const timer = setInterval(() => tell('--ready', 'WATCHDOG=1'), beatMs);
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(timer);
      tell('STOPPING=1');
    },
    { once: true },
  );
}
