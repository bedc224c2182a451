import { type Answer, no, refine, requireKnown, unknown, yes } from '../../../activities/answers.js';
import { gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import type { ClusterHost } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import { etcdHosts } from '../../registry/plan.js';
import { clientUrl, ETCD_CLIENT_FILES } from '../members/places.js';

/** A new cluster has a new CA: with the old one's data its nodes and service accounts would be strangers to it. */
export async function refuseFormerData(context: StepContext, host: ClusterHost): Promise<void> {
  const endpoints = etcdHosts(context.cluster).map(({ address }) => clientUrl(address));
  const { ca, certificate, key } = ETCD_CLIENT_FILES;
  const script = `ask keys etcdctl --dial-timeout=2s --command-timeout=5s --endpoints=${quote(endpoints.join(','))} \\
  --cacert=${ca} --cert=${certificate} --key=${key} get /registry/ --prefix --count-only --write-out=fields`;
  const facts = await gatherFacts(context.host, script, context.signal);
  const keys = requireKnown(refine(facts.answer('keys', ''), emptiness), 'whether etcd has a cluster', host.name);
  if (keys.is === 'no') return;
  throw new KubewrightError('KW467', 'etcd holds the data of a cluster, and no control plane has its certificates', {
    host: host.name,
    hint: 'Put a backup of /etc/kubernetes/pki back on this host and retry the step. If that cluster may go, its etcd has to be made empty first: see docs/topologies.md, "External etcd".',
  });
}

/** Only a count of zero, in etcd's own words, says that there is nothing. */
function emptiness(text: string): Answer<number> {
  const count = /^"Count" : (\d+)$/m.exec(text)?.[1];
  if (count === undefined) return unknown('etcdctl does not say how many keys there are');
  return count === '0' ? no('etcd counts no key below /registry/') : yes(Number(count));
}
