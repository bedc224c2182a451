import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs `action` while holding flock(2) on `path`, which must exist. The lock is held by a child that ends when its
 * standard input closes: so the kernel frees it at once when this process is killed, which a lock file would not.
 *
 * @param path a file or a directory
 */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'close').then(() => Promise.reject(new Error(`flock ${path} ended early`))),
    ]);
    return await action();
  } finally {
    holder.stdin.end();
    if (holder.exitCode === null) await once(holder, 'close');
  }
}
