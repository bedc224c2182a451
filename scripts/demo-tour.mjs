// What the demo shows of the installed cluster, asked from outside: kubectl through the virtual IP, etcdctl and ip on the
// hosts; never the installer's own word.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { SetupError } from './setup.mjs';

/** Prints a command as a person would type it, and what it says. */
function show(title, program, args, env) {
  console.log(`\n==> ${title}`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new SetupError(`${program} ${args.join(' ')} ended with exit code ${code}`));
    });
  });
}

async function onHost(title, host, command) {
  console.log(`\n==> ${title}`);
  process.stdout.write((await host.exec(command)).stdout);
}

/**
 * @param program kubectl of the bundle, run on this machine: it reaches the cluster as any user would
 * @param kubewright runs the command line
 */
export async function showCluster(lab, program, kubewright) {
  const kubeconfig = join(lab.files.directory, 'kubeconfig');
  await kubewright('kubeconfig', lab.files.clusterFile, '--output', kubeconfig);
  const env = { KUBECONFIG: kubeconfig };
  await show(`kubectl get nodes -o wide (through ${lab.vip}:8443)`, program, ['get', 'nodes', '-o', 'wide'], env);
  await show('kubectl get pods -A -o wide', program, ['get', 'pods', '-A', '-o', 'wide'], env);

  const member =
    lab.hosts.find((host) => host.role === 'etcd') ?? lab.hosts.find((host) => host.role === 'control-plane');
  const pki = '/etc/kubernetes/pki/etcd';
  const credentials = `--cacert ${pki}/ca.crt --cert ${pki}/server.crt --key ${pki}/server.key`;
  const etcdctl = `etcdctl --endpoints https://127.0.0.1:2379 ${credentials}`;
  await onHost(`etcd members, asked on ${member.name}`, member, `${etcdctl} member list -w table`);

  console.log(`\n==> who holds ${lab.vip}`);
  for (const host of lab.hosts.filter((each) => each.role === 'control-plane')) {
    const { stdout } = await host.exec('ip -brief -4 address show');
    console.log(`${host.name}  ${stdout.includes(` ${lab.vip}/`) ? 'holds it' : 'does not'}`);
  }
}
