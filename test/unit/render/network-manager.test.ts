import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { RELOAD_NETWORK_MANAGER, renderNetworkManager } from '../../../src/render/network-manager.js';

it.each([
  ['nmcli', 0, 1, 0],
  ['systemctl, where nmcli is not there,', 127, 0, 0],
  ['neither, which is no success', 1, 1, 1],
])('NetworkManager is told by %s', (_, nmcli, systemctl, status) => {
  const fakes = `nmcli() { return ${nmcli}; }
systemctl() { return ${systemctl}; }
mkdir() { :; }
sha256sum() { :; }
`;
  const script = RELOAD_NETWORK_MANAGER.replaceAll(/[<>]\S*\/\S+/g, '');
  expect(spawnSync('bash', ['--norc', '-c', `${fakes}${script}`]).status).toBe(status);
});

it('adds to what others keep from NetworkManager, and replaces none of it', () => {
  expect(renderNetworkManager()).toMatch(/^\[keyfile\]\nunmanaged-devices\+=/m);
});
