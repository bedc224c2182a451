import { gatherFacts } from '../../activities/remote-facts.js';
import type { StepContext } from '../../activities/types.js';
import { KubewrightError } from '../../errors.js';

/** Images of a runtime by each of their names, and whether it tells the kubelet that they are pinned. */
export type CriImages = ReadonlyMap<string, boolean>;

/** How long the runtime may take to say which images it has. */
const ASK_SECONDS = 20;

interface Listed {
  repoTags?: string[] | null;
  repoDigests?: string[] | null;
  pinned?: boolean;
}

/**
 * What the runtime tells the kubelet of its images.
 *
 * @throws KubewrightError KW414 (transient) when it does not say: else every image would count as missing and be sent again
 */
export async function criImages({ host, signal }: StepContext): Promise<CriImages> {
  const facts = await gatherFacts(host, `fact images timeout ${ASK_SECONDS} crictl images -o json`, signal);
  const listed = facts.holds('images') ? parse(facts.text('images')) : undefined;
  if (listed === undefined) {
    throw new KubewrightError('KW414', 'the container runtime does not say which images it has', {
      host: host.name,
      transient: true,
      hint: 'Nothing was changed. It is asked again by itself; `crictl images` and `systemctl status crio` on the host tell more.',
    });
  }
  return new Map(
    listed.flatMap(({ repoTags, repoDigests, pinned = false }) =>
      [...(repoTags ?? []), ...(repoDigests ?? [])].map((name) => [name, pinned] as const),
    ),
  );
}

function parse(text: string): Listed[] | undefined {
  try {
    const { images } = JSON.parse(text) as { images?: Listed[] | null };
    return images ?? [];
  } catch {
    return undefined;
  }
}
