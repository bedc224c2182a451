import { expect, test } from 'vitest';
import type { LabHost } from '../../../lab/hosts/index.js';
import type { HealthReport } from '../../../src/workflows/reports.js';
import { check, expectHealthy, told } from './health.js';
import type { Installed } from './installed.js';

/** Something that a stranger breaks on a host, and what a check has to say of it. */
interface Fault {
  what: string;
  host: string;
  code: string;
  /** What the evidence has to name. */
  names: RegExp;
  /** Bash, as root on the host. */
  breaks: string;
  mends: string;
}

const CERTIFICATE = '/etc/kubernetes/pki/front-proxy-client';
const SCHEDULER = '/etc/kubernetes/manifests/kube-scheduler.yaml';
const KUBELET_PAIR = '/var/lib/kubelet/pki/kubelet';
const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';
/**
 * More than the kubelet's 15 %, below which it ends pods, and less than the 20 % that a check wants where no images are collected.
 * The lab's hosts have one disk, and their runtime pins images, so the kubelet collects them and 15 % are enough: the fault is a disk
 * that fills up on a host whose file has the collection off. Its kubelet does not read the file meanwhile.
 */
const FREE_PERCENT = 18;

const FAULTS: Fault[] = [
  {
    what: 'a certificate that ends in five days',
    host: 'cp-1',
    code: 'KW644',
    names: /front-proxy-client\.crt/,
    // A good one, of the same authority and key: nothing breaks but its days.
    breaks: `cd ${CERTIFICATE.replace(/\/[^/]+$/, '')} && cp -p ${CERTIFICATE}.crt /root/ &&
openssl req -new -key ${CERTIFICATE}.key -subj /CN=front-proxy-client |
  openssl x509 -req -CA front-proxy-ca.crt -CAkey front-proxy-ca.key -set_serial 7 -days 5 -out ${CERTIFICATE}.crt`,
    mends: `mv /root/front-proxy-client.crt ${CERTIFICATE}.crt`,
  },
  {
    what: 'a static pod whose manifest is gone',
    host: 'cp-2',
    code: 'KW651',
    names: /kube-scheduler/,
    breaks: `mv ${SCHEDULER} /root/`,
    mends: `mv /root/kube-scheduler.yaml ${SCHEDULER}`,
  },
  {
    what: 'a disk that fills up, where the kubelet collects no images',
    host: 'w-1',
    code: 'KW646',
    names: /free/,
    breaks: `cp -p ${KUBELET_CONFIG} /root/kubelet.yaml &&
echo 'imageGCHighThresholdPercent: 100' >>${KUBELET_CONFIG} &&
read -r total free < <(df --block-size=1 --output=size,avail / | tail -1) &&
fallocate --length $((free - total * ${FREE_PERCENT} / 100)) /root/filler`,
    mends: `rm -f /root/filler; mv /root/kubelet.yaml ${KUBELET_CONFIG}`,
  },
  {
    what: 'a kernel setting that somebody has changed',
    host: 'w-2',
    code: 'KW657',
    names: /bridge-nf-call-ip6tables/,
    // Not ip_forward, which each new pod of a bridge sets again.
    breaks: 'sysctl -qw net.bridge.bridge-nf-call-ip6tables=0',
    mends: 'sysctl -qw net.bridge.bridge-nf-call-ip6tables=1',
  },
  {
    what: 'a certificate that a kubelet has made for itself, and that ends in three days',
    host: 'w-2',
    code: 'KW664',
    names: /the kubelet at \S+:10250 in 2 days/,
    breaks: `cp -p ${KUBELET_PAIR}.crt ${KUBELET_PAIR}.key /root/ && mkdir -p /root/ca && cd /root/ca && : >index && echo 01 >serial &&
printf '%s\\n' '[ca]' default_ca=own '[own]' new_certs_dir=. database=index serial=serial default_md=sha256 policy=any '[any]' commonName=supplied >ca.conf &&
openssl req -new -key ${KUBELET_PAIR}.key -subj "/CN=$(hostname)" -out request &&
openssl ca -batch -notext -config ca.conf -selfsign -keyfile ${KUBELET_PAIR}.key -in request -out ${KUBELET_PAIR}.crt \\
  -startdate 20260101000000Z -enddate "$(date -u -d '+70 hours' +%Y%m%d%H%M%SZ)" &&
systemctl restart kubelet`,
    mends: `mv /root/kubelet.crt /root/kubelet.key ${KUBELET_PAIR.replace(/[^/]+$/, '')} && systemctl restart kubelet`,
  },
  {
    what: 'a kubelet that was stopped',
    host: 'cp-3',
    code: 'KW650',
    names: /kubelet/,
    breaks: 'systemctl stop kubelet',
    mends: 'systemctl start kubelet',
  },
];

/**
 * Breaks what a check has to find, looks with the command that a person uses, and mends it: each finding is asserted by its code
 * and its host, and that nothing is left of them by a whole cluster seen from outside.
 */
export function expectFaultsFound(get: () => Installed): void {
  test('a check finds what is wrong on each of five hosts at once, and nothing any more when it is mended', async () => {
    const cluster = get();
    const host = (name: string): LabHost => cluster.lab.host(name);
    const broken: Fault[] = [];
    try {
      for (const fault of FAULTS) {
        broken.push(fault);
        await host(fault.host).exec(fault.breaks);
      }
      const { findings, verdict } = await check(cluster);
      expect(verdict).toBe('degraded');
      for (const { what, host, code, names } of FAULTS) {
        const found = findings.find((each) => each.code === code && each.host === host);
        expect(found?.evidence ?? '', `${what} on ${host}, among ${told(findings)}`).toMatch(names);
      }
    } finally {
      for (const fault of broken) await host(fault.host).exec(fault.mends, { allowFailure: true });
    }
    await expectRecovered(cluster);
  }, 900_000);

  test('a check finds a member of etcd that hangs, while the others go on', async () => {
    const cluster = get();
    const [first, , host] = cluster.controlPlanes() as [LabHost, LabHost, LabHost];
    // Not its manifest: the kubelet waits for its own API server, which waits for its etcd, and four minutes pass behind it.
    await host.exec('pkill -STOP -x etcd');
    try {
      await expect.poll(() => cluster.healthyEtcd(first), LONG).toBe(2);
      const report = await check(cluster);
      expect(report.verdict).toBe('degraded');
      expect(codesOf(report)).toContain('KW476');
    } finally {
      await host.exec('pkill -CONT -x etcd', { allowFailure: true });
    }
    await expectRecovered(cluster);
  }, 900_000);

  test('a check finds a virtual IP that nobody has, and names that nobody answers for', async () => {
    const cluster = get();
    const scale = (replicas: number) =>
      cluster.kubectl(['-n', 'kube-system', 'scale', 'deployment/coredns', `--replicas=${replicas}`]);
    await scale(0);
    try {
      // Kubelets and kube-proxies hear of it by the virtual IP: without one they would leave CoreDNS as it is.
      const pods = ['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns', '-o', 'name'];
      await expect.poll(() => cluster.kubectl(pods), LONG).toBe('');
      await Promise.all(cluster.controlPlanes().map((host) => host.exec('systemctl stop keepalived')));
      try {
        await expect.poll(() => cluster.vipHolders(), LONG).toEqual([]);
        const report = await check(cluster);
        expect(report.verdict).toBe('down');
        expect(codesOf(report)).toEqual(expect.arrayContaining(['KW680', 'KW483']));
      } finally {
        await Promise.all(cluster.controlPlanes().map((host) => host.exec('systemctl start keepalived')));
      }
      await expect.poll(async () => (await cluster.vipHolders()).length, LONG).toBe(1);
    } finally {
      await expect
        .poll(
          () =>
            scale(2).then(
              () => true,
              () => false,
            ),
          LONG,
        )
        .toBe(true);
    }
    await expectRecovered(cluster);
  }, 900_000);
}

const LONG = { timeout: 120_000, interval: 2_000 };

async function expectRecovered(cluster: Installed): Promise<void> {
  expect(await cluster.whole()).toBe(true);
  await expectHealthy(cluster);
}

function codesOf({ findings }: HealthReport): string[] {
  return findings.map(({ code }) => code);
}
