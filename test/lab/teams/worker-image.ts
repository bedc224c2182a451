import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface WorkerImage {
  /** What the image has as its working directory. */
  directory: string;
  /** ENTRYPOINT and CMD. */
  command: string[];
  /** ENV. */
  environment: Record<string, string>;
}

/**
 * Lays out the last stage of the Dockerfile in a directory: what its COPY lines bring from the stage before, which is
 * this repository after `npm ci && npm run build`. So the worker that runs from it lacks what the image would lack. Only
 * node_modules is a link, with the packages for development still in it.
 */
export async function layOutWorker(directory: string): Promise<WorkerImage> {
  const lines = (await readFile(join(ROOT, 'Dockerfile'), 'utf8')).split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  for (const line of stage) {
    const [, source, target] = /^COPY --from=build (?:--chown=\S+ )?\/src\/(\S+) (\S+)$/.exec(line) ?? [];
    if (source === undefined || target === undefined) continue;
    const to = join(directory, target, target.endsWith('/') ? basename(source) : '');
    await mkdir(dirname(to), { recursive: true });
    if (source === 'node_modules') await symlink(join(ROOT, source), to);
    else await cp(join(ROOT, source), to, { recursive: true });
  }
  const words = (instruction: string): string[] =>
    stage.flatMap((line) =>
      line.startsWith(`${instruction} `) ? (JSON.parse(line.slice(instruction.length)) as string[]) : [],
    );
  const variables = stage.flatMap((line) => (line.startsWith('ENV ') ? [line.slice(4).split('=')] : []));
  return {
    directory,
    command: [...words('ENTRYPOINT'), ...words('CMD')],
    environment: Object.fromEntries(variables) as Record<string, string>,
  };
}
