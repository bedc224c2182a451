import { createServer as createTcpServer, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { certificates } from '../../../../../src/activities/check/host/certificates.js';
import type { Concern } from '../../../../../src/activities/check/host/concern.js';
import { servedCertificates } from '../../../../../src/activities/check/host/served-certificates.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { made } from './made-certificate.js';
import { at, lay, look, useOneHost } from './one-host.js';

useOneHost();

const DAY_MS = 86_400_000;
const CLUSTER = clusterOf({ controlPlanes: 3, workers: 1 });
const CONTROL_PLANE = at(CLUSTER, 'cp-1');
const WORKER = at(CLUSTER, 'w-1');

const year = made(365);
const week = made(7);

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as { port: number }).port;
}

/** A program that shows a certificate. @returns its port */
async function shows({ certificate, key }: typeof year): Promise<number> {
  const server = createServer({ cert: certificate, key }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  return await listening(server);
}

/** A port at which nobody listens. */
async function closed(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Puts ports of this machine in the place of a host's; what is not named listens nowhere. */
async function ports(moved: Record<number, number>): Promise<(script: string) => string> {
  const nobody = await closed();
  return (script) =>
    script.replaceAll(/\b(?:\d+\.){3}\d+:(\d+)/g, (_, port) => `127.0.0.1:${moved[Number(port)] ?? nobody}`);
}

describe('certificates as programs show them', () => {
  it('that are good for long are no fault, and neither is a port that nobody listens at', async () => {
    const change = await ports({ 6443: await shows(year), 10259: await shows(year) });
    expect(await look(servedCertificates, CONTROL_PLANE, { change })).toEqual([]);
  });

  it('that end soon are told by program, the first to end first, each with what makes it anew', async () => {
    const [shorter, long] = [made(355), made(3650)];
    const change = await ports({ 10250: await shows(shorter), 10257: await shows(year), 2380: await shows(long) });
    expect(await look(servedCertificates, CONTROL_PLANE, { change, now: Date.now() + 350 * DAY_MS })).toEqual([
      {
        code: 'KW664',
        evidence: expect.stringMatching(
          /: the kubelet at \S+:10250 in 4 days \(\S+\), kube-controller-manager at 127\.0\.0\.1:10257 in 14 days/,
        ),
        hint: expect.stringMatching(/kubelet\.crt.*crictl stop/s),
      },
    ]);
  });

  it('that have ended are told so', async () => {
    const change = await ports({ 10250: await shows(week) });
    const late = Date.now() + 10 * DAY_MS;
    expect(await look(servedCertificates, WORKER, { change, now: late })).toMatchObject([
      { code: 'KW664', evidence: expect.stringContaining(' 3 days ago (') },
    ]);
  });

  it('that live short and have most of their life left are fine', async () => {
    const change = await ports({ 10250: await shows(week) });
    expect(await look(servedCertificates, WORKER, { change })).toEqual([]);
    expect(await look(servedCertificates, WORKER, { change, now: Date.now() + 6.5 * DAY_MS })).toHaveLength(1);
  });

  it('are shown to etcd’s own kind of client, where the host has its files', async () => {
    lay('/etc/kubernetes/pki/etcd/peer.crt', year.certificate);
    lay('/etc/kubernetes/pki/etcd/peer.key', year.key);
    const names: string[] = [];
    const server = createServer({
      cert: year.certificate,
      key: year.key,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (socket) => {
      names.push(String(socket.getPeerCertificate().subject?.CN));
      socket.end();
    });
    const port = await listening(server);
    const change = await ports({ 2379: port, 2380: port });
    expect(await look(servedCertificates, CONTROL_PLANE, { change })).toEqual([]);
    expect(names).toEqual(['x', 'x']);
  });

  it('that stand in a file are told by that file alone', async () => {
    const both: Concern = {
      questions: (where) => `${certificates.questions(where)}\nwait\n${servedCertificates.questions(where)}\nwait`,
      judge: (where, answers) => [...certificates.judge(where, answers), ...servedCertificates.judge(where, answers)],
    };
    lay('/var/lib/kubelet/pki/kubelet-client-current.pem', year.certificate + year.key);
    lay('/var/lib/kubelet/pki/kubelet-server-current.pem', week.certificate + week.key);
    const change = await ports({ 10250: await shows(week) });
    const soon = await look(both, WORKER, { change, now: Date.now() + 6.5 * DAY_MS });
    expect(soon.map(({ code }) => code)).toEqual(['KW644']);
    // Another one, which no file has; and whether one has it is not known where the files were not read.
    const other = await ports({ 10250: await shows(made(7)) });
    const late = { change: other, now: Date.now() + 6.5 * DAY_MS };
    const [, told] = await look(both, WORKER, late);
    expect(told).toMatchObject({ code: 'KW664', evidence: expect.stringContaining('that are in no file') });
    const [unread] = await look(servedCertificates, WORKER, late);
    expect(unread).toMatchObject({ code: 'KW664', evidence: expect.not.stringContaining('in no file') });
  });

  it('that nobody shows on an open port are unknown; at the endpoint another look tells that', async () => {
    const silent = await listening(
      createTcpServer(
        (socket) =>
          void socket
            .on('error', () => {})
            .resume()
            .end('no TLS here\n'),
      ),
    );
    const endpoint = CLUSTER.endpoint.port;
    const change = await ports({ 6443: silent, [endpoint]: silent });
    const unknown = await look(servedCertificates, CONTROL_PLANE, { change });
    expect(unknown.map(({ code }) => code)).toEqual(['KW642']);
    expect(unknown[0]?.evidence).toContain('the certificate of kube-apiserver at');
  });
});
