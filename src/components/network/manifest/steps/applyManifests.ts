import { applyNetworkObjects } from '../../objects/step.js';
import { objectsOf } from '../wanted.js';

export const applyManifests = applyNetworkObjects(async ({ cluster }) => ({
  plugin: 'manifest',
  objects: objectsOf(cluster),
}));
