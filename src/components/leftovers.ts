/**
 * What it tells of a host that has it:
 * - `node`: a node or a member of etcd has begun there; the host is not blank
 * - `begun`: kubeadm has begun there, perhaps no further; not enough for a node
 * - `trace`: an installer was there, and a new node would founder on it or take it over
 * - `residue`: what a proper reset leaves as well; the next node replaces it, and a reboot takes most of it away
 * - `ours`: what Kubewright's own steps put there; it tells of no node, and the ownership record whose it is
 */
export type Meaning = 'node' | 'begun' | 'trace' | 'residue' | 'ours';

/**
 * How the clean-up after a failed join takes it away: `reset` by `kubeadm reset`, `remove` with all that is in it, `empty`
 * by its content alone (it may be a mount point or a link, which stay). Without it the clean-up leaves it alone.
 */
export type CleanUp = 'reset' | 'remove' | 'empty';

/** One thing that a node of some making leaves on a host. */
export interface Leftover {
  /**
   * `path`: a file, link or directory; `name` is a bash pattern. `content`: what is in the directory `name`, but for
   * `lost+found`, which an empty file system has. `folder`: the directory `name`, which goes only where it was not there
   * before. `interface` and `chain`: `name` is a shell pattern of network interfaces, and of iptables or nftables chains.
   * `table`: FAMILY/NAME of an nftables table. `unit`: of systemd units.
   */
  kind: 'path' | 'content' | 'folder' | 'interface' | 'chain' | 'table' | 'unit';
  name: string;
  /** Who leaves it, for people: `kubeadm`, `flannel`. `kubernetes` is what several installers leave alike. */
  by: string;
  means: Meaning;
  cleanUp?: CleanUp;
}

/** Files, links and directories of one making and meaning. */
export function paths(by: string, means: Meaning, names: readonly string[], cleanUp?: CleanUp): Leftover[] {
  return names.map((name) => ({ kind: 'path', name, by, means, ...(cleanUp ? { cleanUp } : {}) }));
}

/** What Kubewright's own steps write on a host. */
export function ours(names: readonly string[]): Leftover[] {
  return paths('Kubewright', 'ours', names);
}

/** Directories that come into being by what runs there: others may have something in them, too. */
export function folders(by: string, names: readonly string[]): Leftover[] {
  return names.map((name) => ({ kind: 'folder', name, by, means: 'ours' }));
}
