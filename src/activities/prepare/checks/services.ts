import { componentsOn } from '../../../components/registry/plan.js';
import { replacedFiles } from '../../../components/replaced.js';
import type { Checked } from './index.js';
import { listed, type Problem } from './problem.js';

/** Services that the host has for other ends, and files of others that would be replaced. */
export function checkServices(checked: Checked): Problem[] {
  // A host that bears any cluster's record has what a node has; whose it is, is judged by that record.
  return checked.facts.owner === undefined ? [...checkInUse(checked), ...checkReplaced(checked)] : [];
}

function checkInUse({ facts, host, cluster }: Checked): Problem[] {
  const foreign = (path: string) => facts.files.some((file) => file.path === path && file.state === 'foreign');
  const runs = (name: string) => facts.services.find((service) => service.name === name);
  const services = componentsOn(cluster, host.role).flatMap((component) => component.services);
  const problems = services
    .filter(({ roles }) => roles.includes(host.role))
    .flatMap(({ name, configuration, remedy }): Problem[] => {
      const service = runs(name);
      if (service === undefined || !foreign(configuration)) return [];
      const what = `${name} ${service.active ? 'runs' : 'starts at boot'} with a configuration of somebody else, ${configuration}`;
      const hint = `${remedy}; or, if nothing needs it any more, \`systemctl disable --now ${name}\`.`;
      return [{ code: 'KW318', what, hint }];
    });
  return problems;
}

/** Nothing of others is lost, and nobody should have to find that out afterwards. */
function checkReplaced({ facts, host, cluster }: Checked): Problem[] {
  const ours = replacedFiles(cluster, host.role);
  const paths = facts.files.filter(({ path, state }) => state === 'foreign' && ours.some((file) => file.path === path));
  if (paths.length === 0) return [];
  return [
    {
      code: 'KW344',
      what: `${listed(paths.map(({ path }) => path))} will be replaced, and Kubewright did not write it`,
      hint: 'The file as it is stays beside it, as NAME.kubewright-backup-TIME.',
      severity: 'warning',
    },
  ];
}
