import { crioReleaseFor } from '../../components/runtime/releases.js';
import { KubewrightError } from '../../errors.js';
import type { Architecture } from '../recipes.js';
import type { Origins } from './origins.js';
import type { Release } from './releases.js';
import type { Signing } from './signatures.js';

/** What a bundle has of CRI-O's archive; CNI plugins and crictl are in every bundle. */
const PROGRAMS = ['crio', 'pinns', 'conmon', 'crun'];

/** As each release's notes have it: signed by the workflow that makes the archive, in one file beside it. */
const SIGNING: Signing = {
  by: 'sigstore-bundle',
  identity: {
    subject: 'https://github.com/cri-o/packaging/.github/workflows/obs.yml@refs/heads/main',
    issuer: 'https://token.actions.githubusercontent.com',
  },
};

/**
 * The archive of static programs that CRI-O publishes with a release.
 *
 * @throws KW743 where no release of CRI-O is known that goes with a version of Kubernetes
 */
export function crioRelease(kubernetesVersion: string, arch: Architecture, origins: Origins): Release {
  const name = `cri-o.${arch}.v${requireCrioRelease(kubernetesVersion)}.tar.gz`;
  const url = `${origins['storage.googleapis.com']}/cri-o/artifacts/${name}`;
  const members = Object.fromEntries(PROGRAMS.map((program) => [`bin/${program}`, `cri-o/bin/${program}`]));
  return { url, checksum: { url: `${url}.sha256sum` }, signing: SIGNING, members };
}

/** @returns version without a leading v @throws KW743 */
export function requireCrioRelease(kubernetesVersion: string): string {
  const release = crioReleaseFor(kubernetesVersion);
  if (release !== undefined) return release;
  throw new KubewrightError(
    'KW743',
    `No release of CRI-O that is known here goes with Kubernetes ${kubernetesVersion}.`,
    {
      hint: 'Leave --runtime crio out, or take a version of Kubernetes that docs/versions.md lists.',
    },
  );
}
