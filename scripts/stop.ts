// `npm run stop`: ends what `npm start` left running, by pid.
import { parseArgs } from 'node:util';
import { stopSystem } from './system/start-system.ts';

const { values } = parseArgs({
  options: { data: { type: 'string', default: '.data' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log('Usage: npm run stop [-- --data DIR]\n\nStops every process that npm start recorded in DIR/pids.json.');
} else {
  const count = await stopSystem(values.data);
  console.log(count === 0 ? 'Nothing was running.' : `Stopped ${count} processes.`);
}
