import type { BundleListing } from '../../artifacts/list.js';

/**
 * A bundle in the cache, of `bundle list`.
 * @printedBy bundle
 */
export interface BundleObject extends BundleListing {
  type: 'bundle';
}
