import type { Path } from '../path.js';
import { valueAt } from '../path.js';
import type { Report } from '../report.js';
import { duplicates } from './duplicates.js';
import type { Check } from './index.js';

/** Every host is reached by a way of its own, and there is something to log in with. */
export const checkSsh: Check = ({ hosts }, report) => {
  const at = (index: number): Path => ['spec', 'hosts', index, 'ssh'];
  for (const path of [['spec', 'ssh'], ...hosts.map((_, index) => at(index))]) {
    checkKeyFiles(path, report);
    checkKeyFiles([...path, 'bastion'], report);
  }
  const ways = hosts.map(({ ssh }) => {
    if (ssh.address === undefined || ssh.port === undefined || ssh.bastion === undefined) return undefined;
    // The same private address may exist behind two bastions.
    const over = ssh.bastion === null ? '' : ` over ${ssh.bastion.address}:${ssh.bastion.port}`;
    return `${ssh.address}:${ssh.port}${over}`;
  });
  for (const { index, first } of duplicates(ways)) {
    if (hosts[index]?.address === hosts[first]?.address) continue;
    report.error(at(index), 'duplicate-ssh', {
      message: `SSH to ${ways[index]} reaches ${hosts[first]?.name ?? 'another host'} already (line ${report.line(at(first))})`,
      expected: 'an address and port of its own',
      found: '',
    });
  }
  for (const [index, { ssh }] of hosts.entries()) {
    if (ssh.bastion != null && ssh.bastion.address === ssh.address && ssh.bastion.port === ssh.port) {
      const place = report.written([...at(index), 'bastion']) ? [...at(index), 'bastion'] : ['spec', 'hosts', index];
      report.error(place, 'own-bastion', {
        message: 'this host would be reached through itself',
        expected: "another bastion, or bastion: null in the host's ssh",
        found: '',
      });
    }
    if (ssh.agent === false && ssh.keyFiles.length === 0 && ssh.configFile === null) {
      const path = report.written(at(index)) ? at(index) : ['spec', 'ssh'];
      report.error(path, 'no-login', {
        message: 'there is nothing to log in with: no key file, no agent, no OpenSSH configuration',
        expected: 'keyFile, or agent: true',
        found: '',
      });
    }
  }
};

function checkKeyFiles(path: Path, report: Report): void {
  if (!report.written([...path, 'keyFile']) || valueAt(report.document.value, [...path, 'keyFiles']) == null) return;
  report.error([...path, 'keyFile'], 'key-file-twice', {
    message: `keyFiles stands beside it (line ${report.line([...path, 'keyFiles'])})`,
    expected: 'one of the two',
    at: 'key',
  });
}
