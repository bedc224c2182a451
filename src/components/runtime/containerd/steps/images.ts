import { listed } from '../../../../activities/prepare/checks/problem.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import type { SourcedImage } from '../../../artifacts/artifacts.js';
import { archiveUploads, checkedNames, imageLines, PULLED, shortName } from '../../archives.js';
import { HOSTS_DIRECTORY } from '../render/hosts.js';
import { pullEnvironment } from './copy.js';

/** On the image: the CRI plugin knows it, and it told so to the kubelet. */
const KNOWN_LABEL = 'io.cri-containerd.image=managed';
/** On the image: the kubelet's garbage collection spares it, for without a registry nothing brings it back. */
const PINNED_LABEL = 'io.cri-containerd.pinned=pinned';

/** How long the CRI plugin may take to take note of an image that was imported beside it. */
const NOTICE_SECONDS = 30;

/** Imports at the same time: more only fight for the disk. */
const LANES = 4;

/**
 * A step that imports images into containerd. Done means that containerd has every one of them complete and
 * unpacked, that the kubelet will see them, and that they are pinned. Files on the host are no evidence.
 *
 * Archives of images that are missing are uploaded (resumed where an earlier attempt broke off), imported by a durable
 * command that outlives the connection, and removed.
 *
 * @param choose which images the step's host needs
 */
export function importStep(choose: (context: StepContext) => Promise<SourcedImage[]>): StepImplementation {
  const wanted = async (context: StepContext) => checkedNames(await choose(context));
  return {
    async probe(context) {
      return judge(await wanted(context), await ask(context));
    },

    async apply(context) {
      const { cluster, host, signal } = context;
      const images = await wanted(context);
      const missing = missingOf(images, await ask(context));
      await host.upload(archiveUploads(cluster, missing), {
        signal,
        onProgress: (line) => context.progress(line),
      });
      await context.durable('images', importScript(imageLines(cluster, images), pullEnvironment(cluster)), {
        timeoutSeconds: 3_000,
        hint: 'See that /var/lib/containerd has space, that containerd is well (`systemctl status containerd`), and that the host reaches the registry of what it pulls; then retry the step.',
      });
    },
  };
}

/** How long containerd may take to say which images it has. */
const ASK_SECONDS = 20;

/**
 * `check` reads manifests and looks for every blob and snapshot; `ls` knows the labels. Both end with an error where one
 * image, whosever it is, is broken, and still print their table; without a table containerd was not asked.
 *
 * @throws KubewrightError KW414 (transient): else every image would count as missing and be sent again
 */
async function ask({ host, signal }: StepContext): Promise<Facts> {
  const ctr = `timeout ${ASK_SECONDS} ctr -n k8s.io images`;
  const facts = await gatherFacts(host, `fact check ${ctr} check &\nfact list ${ctr} ls`, signal);
  const silent = ['check', 'list'].some((name) => !facts.holds(name) && !facts.text(name).startsWith('REF'));
  if (!silent) return facts;
  throw new KubewrightError('KW414', 'containerd does not say which images it has', {
    host: host.name,
    transient: true,
    hint: 'Nothing was changed. It is asked again by itself; `systemctl status containerd` on the host tells more.',
  });
}

/** Lines of a table by their first word. */
function rows(table: string): Map<string, string> {
  return new Map(table.split('\n').map((line) => [line.split(/\s+/, 1)[0] ?? '', line]));
}

function missingOf(images: SourcedImage[], facts: Facts): SourcedImage[] {
  const check = rows(facts.text('check'));
  return images.filter(({ names }) => !names.every((name) => isComplete(check.get(name))));
}

/** `… complete (3/3) 22.1 MiB/22.1 MiB true`: all blobs are there, and unpacked. */
function isComplete(row: string | undefined): boolean {
  return row !== undefined && /\bcomplete \(\d+\/\d+\).*\btrue\s*$/.test(row);
}

function judge(images: SourcedImage[], facts: Facts): Probe {
  const missing = new Set(missingOf(images, facts).flatMap(({ names }) => names));
  const labels = rows(facts.text('list'));
  const present = images.flatMap(({ names }) => names).filter((name) => !missing.has(name));
  const unknown = present.filter((name) => !labels.get(name)?.includes(KNOWN_LABEL));
  const loose = present.filter((name) => !labels.get(name)?.includes(PINNED_LABEL));
  const changes = [
    ...(missing.size > 0 ? [`import ${listed([...missing])}`] : []),
    ...(unknown.length > 0 ? [`wait until the kubelet can see ${listed(unknown)}`] : []),
    ...(loose.length > 0 ? [`pin ${listed(loose)}`] : []),
  ];
  const complete = `${listed(images.flatMap(({ names }) => names.map(shortName)))} imported and pinned`;
  return { done: changes.length === 0, found: changes.length === 0 ? complete : changes.join('; '), changes };
}

/** By the files of the user's registry where there is one, and from it alone; else from where the image is published. */
const PULL = `    if [ "$archive" = ${PULLED} ]; then ctr -n k8s.io images pull --hosts-dir ${HOSTS_DIRECTORY} "$name" >/dev/null; fi
`;

/**
 * The same text for every attempt, whatever is there already: an archive that is not there was imported before. The label
 * comes after the CRI plugin's own, which older versions write over all others.
 */
function importScript(lines: string[], environment: string): string {
  const pulls = lines.some((line) => line.startsWith(`${PULLED} `));
  return `${pulls ? environment : ''}bring() {
  local archive=$1 name
  shift
  if [ -e "$archive" ]; then ctr -n k8s.io images import "$archive"; fi
  for name in "$@"; do
${pulls ? PULL : ''}    for _ in $(seq ${NOTICE_SECONDS * 5}); do
      labels=$(ctr -n k8s.io images ls "name==$name")
      [[ $labels != *${KNOWN_LABEL}* ]] || break
      sleep 0.2
    done
    [[ $labels == *${PINNED_LABEL}* ]] || ctr -n k8s.io images label "$name" ${PINNED_LABEL} >/dev/null
  done
  ${pulls ? `[ "$archive" = ${PULLED} ] || ` : ''}rm -f "$archive"
}
export -f bring
lanes=$(nproc)
[ "$lanes" -le ${LANES} ] || lanes=${LANES}
xargs -P "$lanes" -L 1 bash -euo pipefail -c 'bring "$@"' bring <<'IMAGES'
${lines.join('\n')}
IMAGES
`;
}
