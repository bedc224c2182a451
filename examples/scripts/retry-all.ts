// Retries every blocked step of every install: after a repaired mirror or switch, when many were blocked by one cause.
//
//   node examples/scripts/retry-all.ts "the mirror is back"   (Node 24; with Node 20 or 22: npx tsx …)
import { connect, decide, isKubewrightError, listRuns } from 'kubewright';

export async function main([reason]: string[], print: (line: string) => void): Promise<number> {
  const engine = await connect();
  let refused = 0;
  try {
    for (const { cluster } of await listRuns(engine, { blocked: true })) {
      try {
        const { message } = await decide(engine, cluster, 'retry', { step: '*', reason });
        print(`${cluster}: ${message}`);
      } catch (error) {
        if (!isKubewrightError(error)) throw error;
        refused += 1;
        print(`${cluster}: ${error.message}. ${error.hint ?? ''}`);
      }
    }
    return refused === 0 ? 0 : 1;
  } finally {
    await engine.close();
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2), console.log);
