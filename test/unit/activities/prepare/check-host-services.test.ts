import { describe, expect, it } from 'vitest';
import { described } from '../../../../src/activities/prepare/checks/problem.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { BUNDLE, CLUSTER, INSTALLED, onlyProblem, ownerLine, problemsWith as problems } from './fixtures.js';

const version = (text: string): Cluster => ({ ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, version: text } });
const codes = (...args: Parameters<typeof problems>) => problems(...args).map(({ code }) => code);

describe('a bundle', () => {
  const versions = { ...BUNDLE.versions };
  delete versions['load-balancer'];
  const bundle = { ...BUNDLE, versions };

  it('that lacks what the cluster takes from it is found before anything is changed', () => {
    expect(onlyProblem(problems({}, { bundle }))).toMatchObject({
      code: 'KW733',
      what: 'the bundle /bundle has no load-balancer',
      hint: expect.stringContaining('loadBalancer.source'),
    });
  });

  it('is told with the option that brings what it lacks, where there is one', () => {
    const loadBalancer = {
      type: 'kube-vip' as const,
      image: null,
      leaseDurationSeconds: 5,
      renewDeadlineSeconds: 3,
      retryPeriodSeconds: 1,
    };
    const cluster: Cluster = { ...CLUSTER, loadBalancer };
    expect(onlyProblem(problems({}, { cluster }))).toMatchObject({
      code: 'KW733',
      what: 'the bundle /bundle has no kube-vip',
      hint: expect.stringMatching(
        / --from official --kube-vip`; or name an image of your own in loadBalancer\.image\.$/,
      ),
    });
    expect(
      problems({}, { cluster: { ...cluster, loadBalancer: { ...loadBalancer, image: 'r.example.org/k:1' } } }),
    ).toEqual([]);
  });

  it('has to hold the program etcd where systemd runs it, and only on hosts with a member', () => {
    const cluster: Cluster = {
      ...CLUSTER,
      etcd: {
        topology: 'stacked',
        runner: 'systemd',
        certificateValidityDays: 365,
        certificateSANs: [],
        extraArgs: [],
      },
    };
    const lacking = { ...BUNDLE, files: BUNDLE.files.filter(({ path }) => path !== 'bin/etcd') };
    const found = onlyProblem(problems({}, { bundle: lacking, cluster }));
    expect(found).toMatchObject({ code: 'KW733', what: 'the bundle /bundle has no bin/etcd' });
    expect(found.hint).not.toContain('source');
    expect(problems({}, { cluster })).toEqual([]);
    expect(problems({}, { bundle: lacking })).toEqual([]);
  });

  it('need not have what comes from the distribution', () => {
    const cluster = { ...CLUSTER, loadBalancer: { ...CLUSTER.loadBalancer, source: 'distribution' as const } };
    expect(problems({}, { bundle, cluster })).toEqual([]);
  });
});

describe('a service of somebody else', () => {
  const HAPROXY = { service: [['haproxy', 'active']], file: [['/etc/haproxy/haproxy.cfg', 'foreign']] };

  it.each([
    ['HAProxy', HAPROXY, /haproxy runs with .*\/etc\/haproxy\/haproxy\.cfg/],
    [
      'keepalived that starts at boot',
      { service: [['keepalived', 'inactive']], file: [['/etc/keepalived/keepalived.conf', 'foreign']] },
      /keepalived starts at boot with .*keepalived\.conf/,
    ],
    [
      'containerd',
      { service: [['containerd', 'active']], file: [['/etc/containerd/config.toml', 'foreign']] },
      /containerd runs with/,
    ],
  ] as [string, Record<string, string[][]>, RegExp][])(
    'is refused by name, and the file that would go is named: %s',
    (_, changes, says) => {
      const [refused, told] = problems(changes);
      expect(refused).toMatchObject({ code: 'KW318', what: expect.stringMatching(says) });
      expect(refused?.severity).toBeUndefined();
      expect(told).toMatchObject({
        code: 'KW344',
        severity: 'warning',
        what: expect.stringContaining(changes.file?.[0]?.[0] ?? '?'),
        hint: expect.stringContaining('kubewright-backup-'),
      });
    },
  );

  it.each([
    ['Docker', [['docker', '3']], '3 of Docker'],
    ['containerd', [['k8s.io', '12']], "12 in containerd's namespace k8s.io"],
  ])('that holds containers is refused: %s', (_, containers, says) => {
    expect(onlyProblem(problems({ containers }))).toMatchObject({ code: 'KW318', what: expect.stringContaining(says) });
  });

  it('is CRI-O, whatever its configuration', () => {
    expect(onlyProblem(problems({ service: [['crio', 'active']] })).code).toBe('KW318');
  });

  it.each([
    ['as the package brought it', { ...HAPROXY, file: [['/etc/haproxy/haproxy.cfg', 'packaged']] }, []],
    ['that neither runs nor starts', { ...HAPROXY, service: [] }, ['KW344']],
    ['on a host of ours', { ...HAPROXY, owner: ownerLine() }, []],
    [
      'on a host of another cluster, which is left alone',
      { ...HAPROXY, owner: ownerLine({ cluster: 'x' }) },
      ['KW320'],
    ],
    ['Docker without a container', { service: [['docker', 'active']] }, []],
  ] as [string, Record<string, string[][]>, string[]][])('is no obstacle: %s', (_, changes, wanted) => {
    expect(codes(changes)).toEqual(wanted);
  });

  it('on a host whose role does not need it is left alone', () => {
    expect(problems(HAPROXY, { role: 'worker' })).toEqual([]);
  });
});

const fromDistribution = (cluster: Cluster): Cluster => {
  return { ...cluster, runtime: { type: 'containerd', source: 'distribution', config: {} } };
};

describe('containerd', () => {
  it.each([
    ['installed', 'containerd containerd.io 1.4.13 7ad184', '1.34.3', ['KW319']],
    ['installed', 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1', '1.34.3', []],
    ['candidate', '1.5.9-0ubuntu3', '1.34.3', ['KW319']],
    ['candidate', '1.6.20~ds1-1+deb12u1', '1.36.0', ['KW319']],
    ['candidate', '1.7.24-0ubuntu1~22.04.2', '1.35.4', []],
    ['candidate', '2.1.4-1', '1.36.0', []],
    ['installed', 'containerd github.com/containerd/containerd/v2 v2.0.4 1a43cb6', '1.36.0', []],
  ])('%s as %j for Kubernetes %s', (state, text, kubernetes, wanted) => {
    // From 1.35 on cgroup v1 and others matter; the fixture has version 2.
    const cluster = fromDistribution(version(kubernetes));
    expect(codes({ runtime: [[state, text]] }, { cluster })).toEqual(wanted);
    // The bundle's comes beside it.
    expect(codes({ runtime: [[state, text]] }, { cluster: version(kubernetes) })).toEqual([]);
  });

  it('that cannot be seen before the package lists are there is told of; the packages are looked at again', () => {
    const cluster = fromDistribution(CLUSTER);
    const problem = onlyProblem(problems({ runtime: [['candidate', '(none)']] }, { cluster }));
    expect(problem).toMatchObject({ code: 'KW319', severity: 'warning' });
    // Every host of a fresh cluster says so: two lines of a terminal at most.
    expect(described(problem).length).toBeLessThan(160);
  });

  it('is never another one under pods that run', () => {
    const node = { ...INSTALLED, containers: [['k8s.io', '4']] };
    const ours = [['/opt/kubewright/containerd/2.3.7/containerd']];
    const theirs = [['/usr/bin/containerd']];
    const bundled = (program: string[][]) => problems({ ...node, 'runtime-program': program });
    const packaged = (program: string[][]) =>
      problems({ ...node, 'runtime-program': program }, { cluster: fromDistribution(CLUSTER) });
    expect(bundled(ours)).toEqual([]);
    expect(onlyProblem(bundled(theirs))).toMatchObject({
      code: 'KW340',
      hint: expect.stringContaining('"runtime.source: distribution"'),
    });
    expect(onlyProblem(packaged(ours).filter(({ code }) => code !== 'KW319')).hint).toContain(
      '"runtime.source: bundle"',
    );
    expect(packaged(theirs)).toEqual([]);
    expect(problems({ ...node, containers: [['k8s.io', '0']], 'runtime-program': theirs })).toEqual([]);
  });
});

describe('certificates of a node', () => {
  const NOW = 1790000000;
  const DAY = 86_400;
  const ends = (...certificates: [string, number][]) => ({
    ...INSTALLED,
    certificate: certificates.map(([path, days]) => [path, String(NOW + days * DAY)]),
  });
  const API = '/etc/kubernetes/pki/apiserver.crt';

  it('that have ended stop the install, with the file, the day and what renews it', () => {
    const problem = onlyProblem(problems(ends([API, -1], ['/etc/kubernetes/admin.conf', -3])));
    expect(problem).toMatchObject({ code: 'KW326', severity: 'error' });
    expect(problem.what).toBe(
      'certificates have ended: /etc/kubernetes/admin.conf (2026-09-18) and /etc/kubernetes/pki/apiserver.crt (2026-09-20)',
    );
    expect(problem.hint).toContain('kubeadm certs renew all');
  });

  it('that end within 30 days are told of', () => {
    expect(onlyProblem(problems(ends([API, 29])))).toMatchObject({ code: 'KW326', severity: 'warning' });
    expect(problems(ends([API, 31]))).toEqual([]);
    expect(problems(ends([API, -1], ['/etc/kubernetes/admin.conf', 3])).map(({ severity }) => severity)).toEqual([
      'error',
      'warning',
    ]);
  });

  it('have another way out where kubeadm does not renew them', () => {
    const authority = onlyProblem(problems(ends(['/etc/kubernetes/pki/etcd/ca.crt', 3]))).hint;
    expect(authority).toContain('CA certificates');
    expect(authority).not.toContain('kubeadm certs renew');
    expect(onlyProblem(problems(ends(['/var/lib/kubelet/pki/kubelet-client-current.pem', 3]))).hint).toContain(
      'kubelet',
    );
  });

  it('are of no concern where there is no node of ours, and where the steps make them anew', () => {
    const { owner: _, ...foreign } = ends([API, -1]);
    expect(codes(foreign)).toEqual(['KW321']);
    const cluster = { ...CLUSTER, etcd: { ...CLUSTER.etcd, topology: 'external' as const } };
    expect(problems(ends(['/etc/kubernetes/pki/apiserver-etcd-client.crt', 3]), { cluster })).toEqual([]);
    expect(problems(ends(['/etc/kubernetes/pki/etcd/server.crt', 3]), { role: 'etcd' })).toEqual([]);
  });
});
