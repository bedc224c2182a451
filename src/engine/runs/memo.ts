/** Build of Kubewright that planned a run, from its memo; undefined where that does not say. */
export function buildIn(memo: Record<string, unknown> | undefined): string | undefined {
  return typeof memo?.build === 'string' ? memo.build : undefined;
}
