import type { LocatedFile } from '../bundle/bundle.js';
import type { Upload } from '../hosts/types.js';

/** A file of a bundle as `RemoteHost.upload` takes it, packed or not, to an absolute path on a host. */
export function uploadOf({ absolutePath: source, sha256, size, mode, packed }: LocatedFile, target: string): Upload {
  return { source, target, sha256, size, mode, packed };
}
