import { dropInPath } from '../../../render/loaded-config.js';

export const CONTAINERD_CONFIG_PATH = '/etc/containerd/config.toml';
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const CONTAINERD_DROP_IN_PATH = dropInPath('containerd');
export const CRICTL_CONFIG_PATH = '/etc/crictl.yaml';
