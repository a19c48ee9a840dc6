import { pino } from 'pino';
import { readConfig } from './config.ts';
import { createSandbox } from './sandbox.ts';

const logger = pino({ name: 'psp-sandbox', level: process.env['LOG_LEVEL'] ?? 'info' });

try {
  const sandbox = await createSandbox({ ...readConfig(process.env), logger });
  logger.info({ port: sandbox.port }, 'listening');
  const close = () => {
    sandbox.close().then(
      () => process.exit(0),
      (error: Error) => {
        logger.error({ err: error }, 'closing broke');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', close);
  process.once('SIGINT', close);
} catch (error) {
  logger.fatal((error as Error).message);
  process.exit(1);
}
