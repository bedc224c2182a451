import { NOTHING_TO_CHECK, type RuntimeWork } from '../../work-types.js';
import { checkRuntime } from './checks.js';
import { settingsOf } from './settings.js';
import { copyFromImage } from './steps/copy.js';
import { importStep } from './steps/images.js';
import { outdated } from './versions.js';

export const work: RuntimeWork = {
  ...NOTHING_TO_CHECK,
  bundled: (cluster) => (settingsOf(cluster).source === 'bundle' ? ['containerd', 'runc'] : []),
  check: checkRuntime,
  hostFacts: `for task in /run/containerd/io.containerd.runtime.v2.task/*/*; do
  [ ! -d "$task" ] || { task=\${task%/*}; echo "\${task##*/}"; }
done | sort | uniq -c | while read -r count namespace; do row containers "$namespace" "$count"; done
row containers docker "$(find /var/lib/docker/containers -mindepth 1 -maxdepth 1 -type d | wc -l)"
pid=$(systemctl show -p MainPID --value containerd.service)
[ "\${pid:-0}" -le 0 ] || row runtime-program "$(readlink "/proc/$pid/exe")"
version=$(containerd --version)
if [ -n "$version" ]; then row runtime installed "$version"
else row runtime candidate "$(candidate containerd)"; fi`,
  outdated,
  misfit: () => undefined,
  importing: importStep,
  copyFromImage,
};
