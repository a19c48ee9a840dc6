// `npm run stop`: ends what `npm start` left running, by pid.
import { readOptions } from './support/options.ts';
import { stopSystem } from './system/start-system.ts';

const help = `Usage: npm run stop [-- --data DIR]

Stops every process that npm start recorded in DIR/pids.json (default .data).
`;

const { data } = readOptions(help, { data: { type: 'string', default: '.data' } });
const count = await stopSystem(data);
console.log(count === 0 ? 'Nothing was running.' : `Stopped ${count} processes.`);
