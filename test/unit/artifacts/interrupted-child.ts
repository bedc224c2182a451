// A build for interrupt.test.ts to interrupt: the same parts as `kubewright bundle create --from modules`, with a `go`
// that takes a minute.
import { ensureArtifact } from '../../../src/artifacts/cache/cache.js';
import { buildGo, withGoScratch } from '../../../src/artifacts/go/build.js';
import { interruptible } from '../../../src/artifacts/interruptible.js';
import { etcdRecipe } from '../../../src/artifacts/recipes.js';

const key = { kind: 'things', version: '1.0.0', recipe: 'aaaaaaaaaaaa' };
try {
  await interruptible((signal) =>
    ensureArtifact(key, (directory) =>
      withGoScratch(0, 'a test', (scratch) =>
        buildGo(etcdRecipe('3.6.5'), directory, { architecture: 'amd64', scratch, signal }),
      ),
    ),
  );
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`);
  process.exitCode = 1;
}
