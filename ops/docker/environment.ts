// Loaded before a process (`node --import`): its credentials come from a file that only its container can see, so that
// none stands in docker-compose.yml, in `docker inspect`, or on a command line.
import { readFileSync } from 'node:fs';

const file = process.env['STRONGROOM_ENVIRONMENT_FILE'];
if (file !== undefined) {
  const variables = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}
