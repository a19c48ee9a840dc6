// Started beside a test's system (system-fixture.ts): a test that is killed, or fails before its first assertion, stops
// nothing. Its pipe closes with it; whatever still runs from the folder is then stopped and removed.
import { removeEngines } from '../../scripts/engines/index.ts';
import { stopSystem } from '../../scripts/system/start-system.ts';

const [, , dataDir = ''] = process.argv;

process.stdin.on('data', () => process.exit(0)); // The test has cleaned up by itself.
process.stdin.on('end', async () => {
  await stopSystem(dataDir);
  await removeEngines(dataDir);
});
