import { uploadOf } from '../../../../activities/bundle-upload.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import { bundleOf } from '../../../../activities/prepare/target.js';
import type { Probe, StepContext, StepImplementation } from '../../../../activities/types.js';
import { type Bundle, filesBelow } from '../../../../bundle/bundle.js';
import { releaseOf, SKOPEO_FOLDER } from '../../../../bundle/programs.js';
import type { Upload } from '../../../../hosts/types.js';
import type { SourcedImage } from '../../../artifacts/artifacts.js';
import { ARCHIVES, archiveUploads, checkedNames, imageLines, PULLED, shortName } from '../../archives.js';
import { type CriImages, criImages } from '../../cri-images.js';
import { STORAGE_DRIVER, STORAGE_FOLDER, STORAGE_RUN_FOLDER, skopeoDirectory } from '../paths.js';

/** Imports at the same time: more only fight for the disk, and for the locks of the storage. */
const LANES = 2;

/** What skopeo unpacks on its way; its own default is /var/tmp, which may be small, or in memory. */
const SCRATCH = `${ARCHIVES}/skopeo`;

/**
 * A step that brings images of the bundle into CRI-O's storage. CRI-O imports nothing itself, and its API pulls only; whoever knows
 * the storage can write to it beside CRI-O (cri-tools#412), so the bundle has skopeo. Done means that CRI-O names each image, and
 * calls it pinned.
 *
 * Archives of images that are missing are uploaded (resumed where an earlier attempt broke off), imported by a durable command that
 * outlives the connection, synced to the disk, and removed.
 *
 * @param choose which images the step's host needs
 */
export function importStep(choose: (context: StepContext) => Promise<SourcedImage[]>): StepImplementation {
  const wanted = async (context: StepContext) => checkedNames(await choose(context));
  return {
    async probe(context) {
      return judge(await wanted(context), await criImages(context));
    },

    async apply(context) {
      const { cluster, host, signal } = context;
      const images = await wanted(context);
      const bundle = await bundleOf(context);
      const missing = missingOf(images, await criImages(context));
      if (missing.length === 0) return;
      const archives = archiveUploads(cluster, missing);
      const uploads = archives.length === 0 ? [] : [...skopeoUploads(bundle), ...archives];
      await host.upload(uploads, { signal, onProgress: (line) => context.progress(line) });
      await context.durable(
        'images',
        importScript(imageLines(cluster, images), skopeoDirectory(releaseOf(bundle, 'skopeo'))),
        {
          timeoutSeconds: 3_000,
          hint: `See that ${STORAGE_FOLDER} has space, that CRI-O is well (\`systemctl status crio\`), and that the host reaches the registry of what it pulls; then retry the step.`,
        },
      );
    },
  };
}

function skopeoUploads(bundle: Bundle): Upload[] {
  const directory = skopeoDirectory(releaseOf(bundle, 'skopeo'));
  return filesBelow(bundle, SKOPEO_FOLDER).map((file) =>
    uploadOf(file, `${directory}/${file.path.slice(file.path.lastIndexOf('/') + 1)}`),
  );
}

function missingOf(images: SourcedImage[], known: CriImages): SourcedImage[] {
  return images.filter(({ names }) => !names.every((name) => known.has(name)));
}

function judge(images: SourcedImage[], known: CriImages): Probe {
  const missing = missingOf(images, known).flatMap(({ names }) => names);
  const present = images.flatMap(({ names }) => names).filter((name) => known.has(name));
  // CRI-O reads which ones it shall pin when it starts.
  const loose = present.filter((name) => known.get(name) === false);
  const changes = [
    ...(missing.length > 0 ? [`import ${listed(missing)}`] : []),
    ...(loose.length > 0 ? [`wait until CRI-O calls ${listed(loose)} pinned`] : []),
  ];
  const complete = `${listed(images.flatMap(({ names }) => names.map(shortName)))} imported and pinned`;
  return { done: changes.length === 0, found: changes.length === 0 ? complete : changes.join('; '), changes };
}

/**
 * The same text for every attempt, whatever is there already: an archive that is not there was imported before. What an archive
 * holds was compared with the bundle when it was uploaded, so no policy of signatures is asked.
 *
 * Exported for the test that runs it.
 *
 * @param lines of `imageLines`
 * @param skopeo directory of skopeo
 */
export function importScript(lines: string[], skopeo: string): string {
  const storage = `${STORAGE_DRIVER}@${STORAGE_FOLDER}+${STORAGE_RUN_FOLDER}`;
  return `bring() {
  local archive=$1 name
  shift
  if [ "$archive" = ${PULLED} ]; then for name in "$@"; do crictl pull "$name" >/dev/null; done; return; fi
  [ -e "$archive" ] || return 0
  for name in "$@"; do
    ${skopeo}/skopeo --tmpdir ${SCRATCH} --insecure-policy copy --quiet "docker-archive:$archive:$name" "containers-storage:[${storage}]$name"
  done
  sync -f ${STORAGE_FOLDER}
  rm -f "$archive"
}
export -f bring
mkdir -p ${SCRATCH}
lanes=$(nproc)
[ "$lanes" -le ${LANES} ] || lanes=${LANES}
xargs -P "$lanes" -L 1 bash -euo pipefail -c 'bring "$@"' bring <<'IMAGES'
${lines.join('\n')}
IMAGES
rm -rf ${SCRATCH}
`;
}
