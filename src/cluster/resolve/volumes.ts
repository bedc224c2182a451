import type { Surroundings } from '../../components/schema-types.js';
import type { ControlPlaneFile, HostPathVolume } from '../types.js';
import { INVALID, isMap, isValid, type Sketch } from './draft.js';

type Owner = { extraVolumes?: unknown } | typeof INVALID | null;

/** Nothing where there are none: a cluster that is there has the hash that it was begun with. */
export function resolveVolumes(owner: Owner): { extraVolumes?: Sketch<HostPathVolume[]> } {
  const written = owner === INVALID ? undefined : owner?.extraVolumes;
  const extraVolumes = (Array.isArray(written) ? written : []).map(resolveVolume);
  return extraVolumes.length === 0 ? {} : { extraVolumes };
}

function resolveVolume(entry: unknown): Sketch<HostPathVolume> {
  const volume = isMap(entry) ? entry : {};
  const hostPath = text(volume.hostPath);
  return {
    name: text(volume.name),
    hostPath,
    mountPath: volume.mountPath === undefined ? hostPath : text(volume.mountPath),
    readOnly: volume.readOnly === true,
    pathType: text(volume.pathType) ?? null,
  };
}

/** Files are read at once, so that the worker needs none of the user's; secrets stay where they are until a host gets them. */
export function resolveFiles(written: unknown, read: Surroundings['read']): { files?: Sketch<ControlPlaneFile[]> } {
  const files = (Array.isArray(written) ? written : []).map((entry, index): Sketch<ControlPlaneFile> => {
    const file = isMap(entry) ? entry : {};
    const from = text(file.from);
    const place = ['spec', 'kubernetes', 'files', index, 'from'];
    return {
      path: text(file.path),
      content: from === undefined ? null : read(from, place, undefined)?.content,
      env: text(file.fromEnv) ?? null,
    };
  });
  return files.length === 0 ? {} : { files };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && isValid(value) ? value : undefined;
}
