import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flannelImages } from '../../../../src/artifacts/contents.js';
import { imagesOf, parseManifest } from '../../../../src/components/network/objects/objects.js';
import { FLANNEL_MANIFEST } from '../../../../src/components/network/published.js';
import { NETWORK_RELEASES } from '../../../../src/components/network/versions.js';

/** The file of the release, as bundles have it. */
const upstream = readFileSync(join(import.meta.dirname, '../../render/golden/flannel-upstream.yml.golden'), 'utf8');

it('what is known of flannel’s manifest without it is what stands in it', () => {
  expect(createHash('sha256').update(upstream).digest('hex')).toBe(FLANNEL_MANIFEST.sha256);
  const { objects } = parseManifest({ from: 'kube-flannel.yml', content: upstream });
  expect(FLANNEL_MANIFEST.images).toEqual(imagesOf(objects));
  expect([...FLANNEL_MANIFEST.objects].sort()).toEqual(objects.map(({ kind, name }) => `${kind}/${name}`).sort());
});

it('its images are those of bundles, and of the release in the table', () => {
  const { flannel, cniPlugin } = flannelImages(upstream);
  expect(FLANNEL_MANIFEST.images).toEqual([cniPlugin, flannel]);
  const version = NETWORK_RELEASES.find(({ plugin }) => plugin === 'flannel')?.version;
  expect(flannel).toMatch(new RegExp(`:v${version}$`));
  expect(FLANNEL_MANIFEST.path).toContain(`/v${version}/`);
});
