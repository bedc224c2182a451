/** What `/etc/os-release` says of a host; see os-release(5). */
export interface OsRelease {
  /** Such as `debian`, lower-case but for `openEuler`; `linux` when the file does not say. */
  id: string;
  /** Families it counts itself to, such as `['rhel', 'centos', 'fedora']`. */
  idLike: string[];
  /** Such as `12` or `22.04`; empty on rolling and unreleased distributions. */
  versionId: string;
  /** For people, such as `Debian GNU/Linux 12 (bookworm)`. */
  prettyName: string;
}

/** Parses `/etc/os-release`: `NAME=value` lines with shell quoting. Lines that are none are skipped, as its readers do. */
export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], unquote(match[2] ?? ''));
  }
  const id = values.get('ID') || 'linux';
  return {
    id,
    idLike: (values.get('ID_LIKE') ?? '').split(/\s+/).filter(Boolean),
    versionId: values.get('VERSION_ID') ?? '',
    prettyName: values.get('PRETTY_NAME') || values.get('NAME') || id,
  };
}

function unquote(value: string): string {
  const quoted = /^"(.*)"$|^'(.*)'$/.exec(value);
  const inner = quoted?.[1] ?? quoted?.[2] ?? value;
  return inner.replace(/\\(["'$`\\])/g, '$1');
}
