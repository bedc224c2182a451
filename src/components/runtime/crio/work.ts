import { NOTHING_TO_CHECK, type RuntimeWork } from '../../work-types.js';
import { goesWith } from '../releases.js';
import { checkCrio } from './checks.js';
import { importStep } from './steps/images.js';

export const work: RuntimeWork = {
  ...NOTHING_TO_CHECK,
  bundled: () => ['cri-o', 'skopeo'],
  check: checkCrio,
  // conmon is the parent of every container of CRI-O and of Podman; where it reports the end of one tells whose it is.
  hostFacts: `for task in /run/containerd/io.containerd.runtime.v2.task/*/*; do
  [ ! -d "$task" ] || { task=\${task%/*}; echo "\${task##*/}"; }
done | sort | uniq -c | while read -r count namespace; do row containers "$namespace" "$count"; done
row containers docker "$(find /var/lib/docker/containers -mindepth 1 -maxdepth 1 -type d | wc -l)"
crio=0 podman=0
for words in /proc/[0-9]*/cmdline; do
  IFS= read -r -d '' first <"$words" || continue
  [ "\${first##*/}" = conmon ] || continue
  if tr '\\0' ' ' <"$words" | grep -q /crio/exits; then crio=$((crio + 1)); else podman=$((podman + 1)); fi
done
row containers crio "$crio"
row containers podman "$podman"
pid=$(systemctl show -p MainPID --value crio.service)
[ "\${pid:-0}" -le 0 ] || row runtime-program "$(readlink "/proc/$pid/exe")"`,
  outdated: () => undefined,
  misfit({ kubernetes }, versions) {
    const release = versions['cri-o']?.replace(/^v/, '');
    if (release === undefined || goesWith(release, kubernetes.version)) return undefined;
    return `its CRI-O is ${release}, and Kubernetes ${kubernetes.version} needs one of its own minor`;
  },
  importing: importStep,
};
