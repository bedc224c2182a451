import type { RemoteHost } from '../hosts/types.js';

/**
 * A host as a step sees it: whatever of a person's is replaced there, and kept under another name, is noted, so that the
 * step's summary can name it. Every function of a host passes through here, so none that writes is forgotten.
 *
 * @param note path and name of the copy
 */
export function notingBackups(host: RemoteHost, note: (path: string, copy: string) => void): RemoteHost {
  return {
    name: host.name,
    address: host.address,
    run: (script, options) => host.run(script, options),
    runDurable: (command) => host.runDurable(command),
    stopDurable: (id) => host.stopDurable(id),
    stopDurables: (prefix) => host.stopDurables(prefix),
    readFile: (path) => host.readFile(path),
    writeFile: (path, content, options) => host.writeFile(path, content, { onBackup: note, ...options }),
    missingUploads: (files, options) => host.missingUploads(files, options),
    upload: (files, options) => host.upload(files, { onBackup: note, ...options }),
  };
}
